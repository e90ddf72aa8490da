import { invalid, nonEmpty, record, type Read } from '../platform/check.ts';
import { isSaying, type Saying } from '../words/saying.ts';

/** A saying that was stored, with all that it says: another build may know more codes, and more parameters of a code. */
export const saying: Read<Saying> = (value, what) => {
  nonEmpty(record(value, what)['code'], `${what}.code`);
  return isSaying(value) ? value : invalid(what, 'a saying', value);
};
