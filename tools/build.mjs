// Compiles apps/ and libs/ to dist/ (same folders). Only files that changed are written, so that a controller
// that runs from dist/ is not disturbed. Types are checked by `npm run typecheck`, not here.
import { readFile, readdir, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export async function build() {
  const { transformFile } = require('@swc/core');
  const { root, swcOptions } = require('./lib/swc-options.cjs');
  const compilerChanged = Math.max(
    ...(await Promise.all(
      ['tools/lib/swc-options.cjs', 'tools/build.mjs', 'tsconfig.base.json', 'package-lock.json'].map(mtime(root)),
    )),
  );
  const wanted = new Set();
  for (const top of ['apps', 'libs']) {
    for await (const source of walk(join(root, top))) {
      if (!source.endsWith('.ts') || /\.(e2e-|int-|lab-)?spec\.ts$/.test(source) || source.endsWith('.d.ts')) continue;
      const target = join(root, 'dist', relative(root, source)).replace(/\.ts$/, '.js');
      wanted.add(target).add(`${target}.map`);
      const [from, to] = [await mtime(root)(source), await mtime(root)(target)];
      if (to > Math.max(from, compilerChanged)) continue;
      const { code, map } = await transformFile(source, swcOptions);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, `${code}//# sourceMappingURL=${target.split('/').pop()}.map\n`);
      await writeFile(`${target}.map`, map);
    }
  }
  for await (const file of walk(join(root, 'dist'))) {
    if (/\.js(\.map)?$/.test(file) && !wanted.has(file)) await rm(file);
  }
}

const mtime = (root) => async (path) => {
  try {
    return (await stat(path.startsWith('/') ? path : join(root, path))).mtimeMs;
  } catch {
    return 0;
  }
};

async function* walk(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
