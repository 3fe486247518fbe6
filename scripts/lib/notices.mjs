import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Words that identify the text of a licence, by its SPDX identifier. A licence that is missing here fails the build:
 * add it.
 */
const MARKS = {
  'Apache-2.0': /TERMS AND CONDITIONS FOR USE, REPRODUCTION/,
  'BSD-2-Clause': /Redistributions in binary form must/,
  'BSD-3-Clause': /Neither the name/i,
  ISC: /Permission to use, copy, modify/,
  MIT: /Permission is hereby granted, free of charge/,
};
const LICENCE_FILE = /^(licen[cs]e|copying|notice|copyright)([.-].*)?$/i;
const RULE = '-'.repeat(80);

/**
 * The text of THIRD-PARTY-NOTICES: name, version and licence texts of each package.
 *
 * @param {object} asked
 * @param {string} asked.root of the repository; its LICENSE is the Apache License 2.0
 * @param {string[]} asked.bundled the files in the bundle, from esbuild's metafile, relative to the root
 * @param {string[]} asked.ofPage the files in the web page, likewise
 * @param {string[]} asked.installed names of packages that npm installs with ours
 * @returns {string}
 * @throws {Error} if a package comes without the text of its licence
 */
export function noticesOf({ root, bundled, ofPage, installed }) {
  const files = new Map(installed.map((name) => [`node_modules/${name}`, []]));
  for (const file of [...bundled, ...ofPage]) {
    const [directory] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file) ?? [];
    if (directory !== undefined) files.set(directory, [...(files.get(directory) ?? []), file]);
  }
  const placeOf = (own) => {
    if (own.length === 0) return 'a dependency, installed by npm';
    return own.some((file) => bundled.includes(file)) ? 'part of the programs in dist' : 'part of dist/page';
  };
  const sections = [...files].map(([directory, own]) => sectionOf(root, directory, { own, place: placeOf(own) }));
  sections.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    'healthctl contains or depends on the packages below, each under its own licence.\n',
    ...sections.map(({ text }) => text),
  ].join(`\n${RULE}\n\n`);
}

function sectionOf(root, directory, { own: files, place: where }) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'));
  const texts = textsOf(root, directory, files);
  for (const id of String(license)
    .match(/[A-Za-z0-9.-]+/g)
    .filter((word) => !/^(AND|OR|WITH)$/.test(word))) {
    if (MARKS[id] !== undefined && texts.some((text) => MARKS[id].test(text))) continue;
    if (id !== 'Apache-2.0') throw new Error(`${name} ${version} comes without the text of its licence, ${id}`);
    texts.push(readFileSync(join(root, 'LICENSE'), 'utf8').trim());
  }
  return {
    name,
    text: [`${name} ${version}\nLicence: ${license}\n${where}`, ...texts, ''].join('\n\n').trimEnd().concat('\n'),
  };
}

/** The licence files, and the texts in the heads of sources that these files do not contain, each once. */
function textsOf(root, directory, files) {
  const texts = readdirSync(join(root, directory))
    .filter((name) => LICENCE_FILE.test(name))
    .sort()
    .map((name) => readFileSync(join(root, directory, name), 'utf8').trim());
  for (const file of files) {
    const head = headOf(readFileSync(join(root, file), 'utf8'));
    if (/copyright|licen[cs]e/i.test(head) && !texts.some((text) => wordsOf(text).includes(wordsOf(head))))
      texts.push(head);
  }
  return texts;
}

/** The comments at the beginning of a source, without comment signs. */
function headOf(source) {
  const [comments] = /^(\s*(\/\/[^\n]*\n|\/\*[\s\S]*?\*\/))*/.exec(
    source.replace(/^(#!.*\n)?\s*["']use strict["'];?/, ''),
  );
  return comments
    .replace(/^[ \t]*(\/\*[*!]?|\*\/|\*|\/\/)[ \t]?/gm, '')
    .replace(/[ \t]*\*\/[ \t]*$/gm, '')
    .trim();
}

const wordsOf = (text) => text.replace(/\s+/g, ' ');
