import { HealthctlError } from '../lib/errors.ts';

/** The user of a container's process. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /**
   * As in Docker: the primary group (CVE-2022-36109), then the user's groups in /etc/group, then those of
   * `--group-add`.
   */
  readonly additionalGids: readonly number[];
  /** From /etc/passwd, else `/`. */
  readonly home: string;
}

export interface UserOptions {
  /** `-u`, else the image's USER: `''`, a name or uid, each also with `:group` or `:gid`. */
  readonly user: string;
  /** `--group-add`: names or gids. */
  readonly groupAdd: readonly string[];
  /** The image's /etc/passwd; undefined when it has none. */
  readonly passwd: string | undefined;
  /** The image's /etc/group, likewise. */
  readonly group: string | undefined;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;

/**
 * Resolves a user by Docker's rules (moby/sys user/user.go): a text that looks like a number is an id and never a name,
 * an id need not be listed, a group given with the user replaces the listed ones, the first matching line wins. Throws
 * INVALID with Docker's texts.
 */
export function resolveUser(options: UserOptions): ResolvedUser {
  const [userPart = '', groupPart = ''] = options.user.split(':');
  const groups = parseGroup(options.group ?? '');
  const user = findUser(userPart, parsePasswd(options.passwd ?? ''));
  const gid = groupPart === '' ? user.gid : findGroup(groupPart, groups);
  const listed = groupPart === '' && user.name ? groupsOf(user.name, groups) : [];
  const added = options.groupAdd.map((name) => findGroup(name, groups));
  return {
    uid: user.uid,
    gid,
    additionalGids: [...new Set([gid, ...listed, ...added])],
    home: user.home,
  };
}

function groupsOf(name: string, entries: readonly GroupEntry[]): readonly number[] {
  return entries.filter(({ members }) => members.includes(name)).map(({ gid }) => gid);
}

interface FoundUser extends Omit<PasswdEntry, 'name'> {
  /** Undefined for an id that is not listed. */
  readonly name: string | undefined;
}

function findUser(text: string, entries: readonly PasswdEntry[]): FoundUser {
  const uid = text === '' ? 0 : parseId(text);
  if (uid === undefined) {
    const entry = entries.find(({ name }) => name === text);
    if (entry !== undefined) return entry;
    throw new HealthctlError('INVALID', `unable to find user ${text}: no matching entries in passwd file`);
  }
  return entries.find((entry) => entry.uid === uid) ?? { name: undefined, uid, gid: 0, home: '/' };
}

function findGroup(text: string, entries: readonly GroupEntry[]): number {
  const gid = parseId(text);
  if (gid !== undefined) return gid;
  const entry = entries.find(({ name }) => name === text);
  if (entry !== undefined) return entry.gid;
  throw new HealthctlError('INVALID', `unable to find group ${text}: no matching entries in group file`);
}

/** Undefined for a text that Go's strconv.Atoi does not accept: it is a name. */
function parseId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (Math.abs(id) >= 2 ** 63) return undefined;
  if (id < 0 || id > MAX_ID) {
    throw new HealthctlError('INVALID', `uids and gids must be in range 0-${MAX_ID}`);
  }
  return id === 0 ? 0 : id;
}

/**
 * The usable lines of an /etc/passwd. A line with invalid ids is skipped: Docker reads such an id as 0 and runs the
 * user as root.
 */
function parsePasswd(text: string): readonly PasswdEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , uidText, gidText, , home = ''] = line.split(':');
    const [uid, gid] = [listedId(uidText), listedId(gidText)];
    return uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home: home === '' ? '/' : home }];
  });
}

/** The usable lines of an /etc/group. */
function parseGroup(text: string): readonly GroupEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , gidText, members = ''] = line.split(':');
    const gid = listedId(gidText);
    return gid === undefined ? [] : [{ name, gid, members: members === '' ? [] : members.split(',') }];
  });
}

function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function listedId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id > MAX_ID ? undefined : id;
}
