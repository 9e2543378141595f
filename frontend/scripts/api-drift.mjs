// Fails when src/shared/api/gen is not what docs/openapi.json gives: somebody changed one and not the other.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const gen = 'src/shared/api/gen';
const kept = mkdtempSync(join(tmpdir(), 'aetherflow-api-'));

const contents = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  );

try {
  cpSync(gen, kept, { recursive: true });
  const committed = contents(kept);
  try {
    execFileSync('npm', ['run', '--silent', 'api'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const fresh = contents(gen);
    const names = new Set([...committed.keys(), ...fresh.keys()]);
    const changed = [...names].filter((name) => committed.get(name) !== fresh.get(name));
    if (changed.length > 0) {
      console.error(
        `The API client does not match docs/openapi.json:\n  ${changed.join('\n  ')}\nRun: npm run api`,
      );
      process.exitCode = 1;
    }
  } finally {
    // A check changes nothing, also when it fails.
    rmSync(gen, { recursive: true });
    cpSync(kept, gen, { recursive: true });
  }
} finally {
  rmSync(kept, { recursive: true });
}
