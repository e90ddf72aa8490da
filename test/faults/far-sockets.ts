/** Sockets below the folder TREELINE_TEST_FAR belong to another machine: nobody here reaches them. */
import net from 'node:net';
import { syncBuiltinESMExports } from 'node:module';

/** Replaces net.connect in this thread; returns how to take that back. */
export function moveAway(folder: string): () => void {
  const { connect } = net;
  net.connect = (...args: unknown[]) => {
    const [to] = args;
    const far = typeof to === 'string' && to.startsWith(folder);
    return (connect as (...args: unknown[]) => net.Socket)(...(far ? [`${to}.far`, ...args.slice(1)] : args));
  };
  syncBuiltinESMExports();
  return () => {
    net.connect = connect;
    syncBuiltinESMExports();
  };
}
