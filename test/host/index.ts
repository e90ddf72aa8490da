/** Runs in the extension host: mocha over the test bundles beside this one, one result line for each test. */
import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';

/** What the extension host calls; it resolves when all passed. The results go to $TREELINE_HOST_RESULTS, JSON lines. */
export async function run(): Promise<void> {
  const results = process.env['TREELINE_HOST_RESULTS'];
  if (results === undefined) throw new Error('TREELINE_HOST_RESULTS is not set');
  const write = (line: object): void => appendFileSync(results, `${JSON.stringify(line)}\n`);

  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, reporter: Mocha.reporters.Base });
  for (const file of readdirSync(__dirname)) {
    if (file.endsWith('.test.cjs')) mocha.addFile(path.join(__dirname, file));
  }
  await new Promise<void>((resolve, reject) => {
    const runner = mocha.run((failures) => {
      write({ done: true, failures });
      if (failures === 0) resolve();
      else reject(new Error(`${failures} failed`));
    });
    runner.on('pass', (test) => write({ name: test.fullTitle(), passed: true, ms: test.duration ?? 0 }));
    runner.on('fail', (test, error: Error) =>
      write({ name: test.fullTitle(), passed: false, error: error.stack ?? error.message }),
    );
  });
}
