import { HealthctlError } from '../lib/errors.ts';
import { decodeJson, encodeJson } from '../lib/json.ts';
import { checkProcessJson } from './check-process.ts';
import type { ProbeTarget } from './prober.ts';

/**
 * How a resident shell is started, and which environment its forked checks must have.
 *
 * A variable of the container can change what a shell does (SHELLOPTS, TMOUT, LC_ALL, LD_PRELOAD, an exported
 * function), and a shell changes variables that it exports (SHLVL, PWD, its own). So the resident shell gets none of
 * them: each is passed under a name of ours, as `NAME=value`, and exported in the fork that becomes the check. They are
 * not passed as arguments, because every user can read those.
 */
export interface Residence {
  readonly processJson: string;
  /** Says why a check would have another environment than a fresh exec; undefined: it has the same. */
  differenceFrom(seen: { readonly shell: Environment; readonly check: Environment }): string | undefined;
}

export type Environment = ReadonlyMap<string, string>;

/** Names that a shell accepts for variables; dash and busybox drop others, bash passes them on. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Prefix of variables that bash imports as functions, which would replace our commands. */
const FUNCTION_PREFIX = 'BASH_FUNC_';

/** A check that waits for a line, so that its environment can be inspected. */
const LOOK = 'read -r line';

/** Whether this command line, from `/proc/<pid>/cmdline`, is that of the check LOOK. */
export const isLookingChild = (commandLine: string): boolean => commandLine === `/bin/sh\0-c\0${LOOK}\0`;

/**
 * @param items the arguments after `/bin/sh -c` in the check
 * @throws INVALID for an environment that cannot be passed on; CORRUPT for a container without a runtime spec
 */
export function planResidence(
  target: Pick<ProbeTarget, 'containerId' | 'processJson'>,
  items: readonly string[],
): Residence {
  const process = decodeJson(checkProcessJson(target, [])) as {
    readonly env?: unknown;
    readonly cwd?: unknown;
    readonly user?: { readonly umask?: unknown } | null;
  };
  const entries = Array.isArray(process.env) ? process.env.map(String) : [];
  const odd = entries.find((entry) => entry.indexOf('=') < 1 || entry.startsWith(FUNCTION_PREFIX));
  if (odd !== undefined) throw new HealthctlError('INVALID', `no shell hands on the variable ${odd.split('=')[0]}`);
  const wanted = environmentFrom(entries);
  const prefix = freePrefix(wanted);
  const kept: string[] = [];
  const variables: string[] = [];
  for (const [name, value] of wanted) {
    // Some runtimes treat an empty HOME as missing, and set it.
    if (!IDENTIFIER.test(name) || (name === 'HOME' && value === '')) kept.push(`${name}=${value}`);
    else variables.push(`${name}=${value}`);
  }
  const names = variables.map((_, index) => `${prefix}${index}`);
  const env = [...kept, ...variables.map((variable, index) => `${names[index]}=${variable}`)];
  const umask = process.user?.umask;
  const script = scriptFrom({
    names,
    cwd: typeof process.cwd === 'string' ? process.cwd : '',
    umask: typeof umask === 'number' ? umask : undefined,
  });
  return {
    processJson: encodeJson({ ...process, env, args: ['/bin/sh', '-c', script, 'sh', ...items] }),
    differenceFrom: ({ shell, check }) => {
      const added = [...shell].filter(([name]) => !name.startsWith(prefix) && !(wanted.get(name) ?? ''));
      return differenceOf(new Map([...wanted, ...added]), check);
    },
  };
}

/** If a name occurs several times, the last entry counts. */
export function environmentFrom(entries: readonly string[]): Environment {
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function differenceOf(wanted: Environment, seen: Environment): string | undefined {
  const names = new Set([...wanted.keys(), ...seen.keys()].filter((name) => IDENTIFIER.test(name)));
  const name = [...names].find((each) => wanted.get(each) !== seen.get(each));
  return name === undefined ? undefined : `the shell does not hand on the variable ${name} as it is`;
}

function freePrefix(environment: Environment): string {
  let prefix = 'healthctl_';
  while ([...environment.keys()].some((name) => name.startsWith(prefix))) prefix += '_';
  return prefix;
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The script of the shell. A line `run SEQ` asks for a check, answered by `done SEQ CODE` on control; `look SEQ` asks
 * for a check that waits for a line; `end NONCE` prints the nonce after the output of the check, and `reap NONCE` does
 * so once the shell has reaped its ended children, for which it has to wait for a fork of its own. Control is the
 * shell's stderr, moved to another descriptor before anything runs, and closed for a check. The check has the standard
 * streams and the working directory of a fresh exec. No job control and no `&`: both would change the handling of
 * signals. The umask is set because runc before 1.2 gives containerd's to an exec.
 */
function scriptFrom({
  names,
  cwd,
  umask,
}: {
  readonly names: readonly string[];
  readonly cwd: string;
  readonly umask: number | undefined;
}): string {
  const handOver =
    names.length === 0 ? ':' : `export ${names.map((name) => `"$${name}"`).join(' ')}; unset ${names.join(' ')}`;
  return `${umask === undefined ? '' : `umask ${(umask & 0o777).toString(8).padStart(4, '0')}; `}exec 3>&2 4</dev/null 2>/dev/null
while read -r word argument; do
  case $word in
    run | look)
      ${cwd === '' ? '' : `cd -P ${quoted(cwd)} && `}[ -x /bin/sh ] || break
      ( case $word in look) exec 4<&0; set -- '${LOOK}' ;; esac
        unset PWD OLDPWD SHLVL _
        ${handOver}
        exec /bin/sh -c "$@" <&4 2>&1 3>&- 4<&- )
      echo "done $argument $?" >&3 ;;
    end) echo "$argument" ;;
    reap) ( : ); echo "$argument" ;;
  esac
done`;
}
