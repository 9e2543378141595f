import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { expect, test } from 'vitest';

const PACKAGE = 'node_modules/@mantine/core';
const MODULES = join(PACKAGE, 'esm');
/** What every page of Mantine's needs; the rest are named like the components. */
const BASE = ['baseline', 'default-css-variables', 'global'];

const read = (path: string): string => readFileSync(path, 'utf8');

/** Our own code, and that of Mantine's which is built on the components. */
const sources = (): string[] =>
  ['src', 'node_modules/@mantine/notifications/esm']
    .flatMap((at) => readdirSync(at, { recursive: true, encoding: 'utf8' }).map((name) => join(at, name)))
    .filter((path) => /\.(tsx?|mjs)$/.test(path) && !path.includes('.test.'))
    .map(read);

const used = (): string[] =>
  sources()
    .flatMap((source) => [...source.matchAll(/import \{([^}]+)\} from ["']@mantine\/core["']/g)])
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));

/** By the exported name, the module it comes from. */
function exported(): Map<string, string> {
  const lines = [...read(join(MODULES, 'index.mjs')).matchAll(/import \{([^}]+)\} from "([^"]+)"/g)];
  return new Map(
    lines.flatMap(([, names = '', from = '']) =>
      names.split(',').map((name) => [name.trim().split(' as ').pop() ?? '', join(MODULES, from)] as const),
    ),
  );
}

/** Every style sheet that these modules and what they import refer to. */
function stylesOf(modules: string[]): Set<string> {
  const seen = new Set<string>();
  const waiting = [...modules];
  for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
    if (seen.has(module) || !existsSync(module)) continue;
    seen.add(module);
    const at = dirname(module);
    waiting.push(...[...read(module).matchAll(/from "(\.[^"]+)"/g)].map(([, path = '']) => join(at, path)));
  }
  const names = [...seen].map((module) => /^(\w+)\.module\.(css\.)?mjs$/.exec(basename(module))?.[1] ?? '');
  return new Set(names.filter((name) => existsSync(join(PACKAGE, 'styles', `${name}.css`))));
}

test('the styles of every component in use are there, of no other, and in Mantine’s order', () => {
  const known = exported();
  const modules = used().map((name) => known.get(name) ?? '');
  const listed = [...read('src/app/mantine.css').matchAll(/styles\/([\w-]+)\.css/g)].map(
    ([, name = '']) => name,
  );
  // Where a component is used in one lazy part alone, that part has its styles.
  const beside = sources()
    .flatMap((source) => [...source.matchAll(/^import '@mantine\/core\/styles\/(\w+)\.css'/gm)])
    .map(([, name = '']) => name);
  expect(new Set([...listed, ...beside])).toEqual(new Set([...BASE, ...stylesOf(modules)]));
  const whole = read(join(PACKAGE, 'styles.css'));
  const places = listed.map((name) =>
    whole.indexOf(read(join(PACKAGE, 'styles', `${name}.css`)).slice(0, 200)),
  );
  expect(places).toEqual([...places].sort((one, other) => one - other));
  expect(places).not.toContain(-1);
});
