/** Set by the bundler; absent where the sources run as they are. */
declare const TREELINE_BUILD: string | undefined;

/** Names this build: what is derived from the journal or from logs holds for the build that derived it. */
export const BUILD: string = typeof TREELINE_BUILD === 'string' ? TREELINE_BUILD : 'sources';
