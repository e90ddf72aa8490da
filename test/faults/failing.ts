/** The variable that names a file: while that is there, every write of a failing keeper meets EIO. */
export const FAILING = 'TREELINE_TEST_EIO';
