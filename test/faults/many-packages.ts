/** Packages for a job that has to last: small, many, of several licences, some in two versions. */

const licences = ['MIT', 'MIT', 'ISC', 'Apache-2.0', undefined, 'constructor'];
const text = 'Permission to use, copy, modify, and/or distribute this software for any purpose ';

/** The files of so many packages by their paths below a folder. */
export function manyPackages(count: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let number = 0; number < count; number += 1) {
    const folder = `node_modules/package-${number}`;
    const manifest = {
      name: number === 0 ? '__proto__' : `package-${number % Math.ceil(count * 0.9)}`,
      version: `1.0.${number}`,
      license: licences[number % licences.length],
      scripts: number % 50 === 0 ? { postinstall: 'node build.js' } : {},
    };
    files[`${folder}/package.json`] = JSON.stringify(manifest);
    files[`${folder}/LICENSE`] = text.repeat(1 + (number % 5));
    for (let file = 0; file < 4; file += 1) files[`${folder}/${file}.js`] = '.'.repeat(file * 100);
  }
  return files;
}
