/**
 * The build that runs: a version and a digest of the sources, put in by esbuild.mjs. What is derived from other files and
 * kept (a snapshot of a timeline, a catalogue) names the build that derived it, and no other build uses it.
 */
export const BUILD: string = 'sources';
