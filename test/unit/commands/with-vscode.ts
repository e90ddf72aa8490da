// Import this first: modules that are imported after it (with `await import`) get the stub for `vscode`.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vscode'
      ? { url: new URL('./vscode-stub.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});

export * as vscode from './vscode-stub.ts';
