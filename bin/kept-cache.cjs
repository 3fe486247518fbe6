// V8's compiled forms of the bundle for a Node.js that the packed ones are not for: the first calls of a command write one into the data root,
// later calls read it.
//
// What V8 is given runs as root, and V8 does not check it. So a form is read only from a regular file of root's in directories of root's that
// nobody else may write to, and only if both copies in it are the same: V8 ends the process when it meets a damaged one. Whatever is wrong
// (no root, a full or read-only disk), the program starts without it: it only saves time.
'use strict';
const fs = require('node:fs');
const { join, resolve } = require('node:path');

/** Words with a form of their own; all others share one. A list, because a word of argv that is none of these could be anything. */
const WORDS = [
  ...[
    '--version',
    '__complete',
    'attach',
    'check-once',
    'create',
    'events',
    'exec',
    'healthcheck',
    'images',
    'info',
    'inspect',
    'install',
    'kill',
    'load',
    'logs',
  ],
  ...[
    'ls',
    'pause',
    'port',
    'prune',
    'ps',
    'pull',
    'rename',
    'restart',
    'rm',
    'rmi',
    'run',
    'start',
    'stats',
    'status',
    'stop',
    'tag',
    'top',
  ],
  ...['unpause', 'update', 'version', 'wait'],
];

/** Calls that add the functions that they needed to a form: `run -d` and `run -it` need different ones. */
const LEARNING_CALLS = 8;
/** Directories of forms, of other builds and versions of V8 too. */
const MAX_DIRECTORIES = 3;
const MAX_BYTES = 32 << 20;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/**
 * The form for a call; undefined where none may be used. `data` is undefined when there is none yet.
 *
 * @param {{ argv: readonly string[], key: string }} call key: tells this bundle and this V8 from all others
 */
exports.openCache = ({ argv, key }) => {
  // Flags of Node.js change what V8 compiles, and each set of flags would replace the form of the other.
  const hasFlags = process.execArgv.some((flag) => flag !== '--') || Boolean(process.env.NODE_OPTIONS);
  // `uninstall` removes what would be written at its end.
  if (process.getuid() !== 0 || hasFlags || argv.includes('uninstall')) return undefined;
  const at = argv.findIndex((word) => WORDS.includes(word));
  const dataRoot = dataRootOf(at < 0 ? argv : argv.slice(0, at));
  const path = {
    dataRoot,
    parent: join(dataRoot, 'compile-cache'),
    key,
    name: `${(argv[at] ?? 'any').replace(/^--/, '')}.cache`,
  };
  const { data, calls } = readCache(path) ?? { data: undefined, calls: 0 };
  const keepAtExit = (script) => {
    if (calls >= LEARNING_CALLS && !script.cachedDataRejected) return;
    process.once('exit', (code) => {
      // What failed has run only a part of what the next call needs.
      if (code === 0) writeCache(path, script.createCachedData(), script.cachedDataRejected ? 1 : calls + 1);
    });
  };
  return { data, keepAtExit };
};

/** As flags and environment have it; the configuration file is not read so early. */
function dataRootOf(argv) {
  const at = argv.findLastIndex((word) => /^--data-root(=|$)/.test(word));
  const flag = at < 0 ? undefined : argv[at].includes('=') ? argv[at].slice('--data-root='.length) : argv[at + 1];
  return resolve(flag || process.env.HEALTHCTL_DATA_ROOT || '/var/lib/healthctl');
}

/** Two copies of the form, and a byte that counts the calls that it has learnt from. */
function readCache({ dataRoot, parent, key, name }) {
  let fd;
  try {
    if (!isSafe(dataRoot, parent, join(parent, key))) return undefined;
    fd = fs.openSync(join(parent, key, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() || stat.uid !== 0 || (stat.mode & 0o077) !== 0 || stat.size > MAX_BYTES) return undefined;
    const bytes = fs.readFileSync(fd);
    const half = (bytes.length - 1) / 2;
    if (!Number.isInteger(half) || half === 0) return undefined;
    const data = bytes.subarray(0, half);
    return data.equals(bytes.subarray(half, -1)) ? { data, calls: bytes[bytes.length - 1] } : undefined;
  } catch {
    return undefined; // there is none yet, or it cannot be read
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function writeCache({ dataRoot, parent, key, name }, data, calls) {
  const directory = join(parent, key);
  const temporary = join(directory, `.${name}.${process.pid}`);
  try {
    const isNew = [dataRoot, parent, directory].map(makeDirectory).at(-1);
    if (!isSafe(dataRoot, parent, directory)) return;
    if (isNew) removeOldest(parent, key);
    const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      fs.writeFileSync(fd, Buffer.concat([data, data, Buffer.from([calls])]));
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, join(directory, name));
  } catch {
    // A full or read-only disk: the next start is as slow as this one.
    tryRemove(temporary);
  }
}

/** Not `recursive`, with which Node.js 20 tries for ever where the kernel makes no directories: below /proc. @returns whether it was missing */
function makeDirectory(path) {
  try {
    fs.mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function tryRemove(path) {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // It was never made.
  }
}

/** Of builds and versions of V8 that were in use before. */
function removeOldest(parent, key) {
  const others = fs.readdirSync(parent).filter((name) => name !== key);
  const changedMs = (name) => fs.lstatSync(join(parent, name)).mtimeMs;
  others.sort((a, b) => changedMs(b) - changedMs(a));
  for (const name of others.slice(MAX_DIRECTORIES - 1)) fs.rmSync(join(parent, name), { recursive: true, force: true });
}

/** The data root itself may be a link, as root has set it up. */
function isSafe(dataRoot, ...directories) {
  return isRoots(fs.statSync(dataRoot), 0o022) && directories.every((path) => isRoots(fs.lstatSync(path), 0o077));
}

/** Whether it is a directory of root's that gives nobody these rights. */
function isRoots(stat, forbidden) {
  return stat.isDirectory() && stat.uid === 0 && (stat.mode & forbidden) === 0;
}
