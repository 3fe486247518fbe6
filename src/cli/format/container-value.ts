import type { ContainerDocument, HealthcheckDocument, StateDocument } from '../../container/document.ts';
import {
  duration,
  type GoMap,
  type GoValue,
  nilMap,
  nilPointer,
  nilSlice,
  stringMap,
  struct,
} from './template/template.ts';

/** The document as templates see Docker's Go structs: durations print as `30s`, absent health is nil, a missing label is empty. */
export function containerValue(document: ContainerDocument): GoValue {
  const typed: GoMap = {
    State: stateValue(document.State),
    HostConfig: goValue(document.HostConfig, '*container.HostConfig'),
    GraphDriver: struct({ Data: nilMap(), Name: document.GraphDriver.Name }, { type: 'storage.DriverData' }),
    Config: configValue(document.Config),
    NetworkSettings: goValue(document.NetworkSettings, '*container.NetworkSettings'),
  };
  const { Id, ...others } = document;
  // The document's keys are in Docker's order.
  const fields = Object.entries(others).map(([key, value]): readonly [string, GoValue] => [
    key,
    Object.hasOwn(typed, key) ? typed[key] : goValue(value, key),
  ]);
  // A size that was not asked for is nil and left out; one of 0 is shown.
  const sizes: GoMap =
    document.SizeRw === undefined ? { SizeRw: nilPointer('*int64'), SizeRootFs: nilPointer('*int64') } : {};
  return struct(
    { ID: Id, ...Object.fromEntries(fields), ...sizes },
    { type: 'container.InspectResponse', jsonNames: { ID: 'Id' }, omitEmpty: Object.keys(sizes) },
  );
}

function stateValue({ Health, ...state }: StateDocument): GoValue {
  const health = Health
    ? struct(
        {
          Status: Health.Status,
          FailingStreak: Health.FailingStreak,
          Log: Health.Log.map((result) => struct({ ...result }, { type: '*container.HealthcheckResult' })),
        },
        { type: '*container.Health' },
      )
    : nilPointer('*container.Health');
  return struct(
    { ...state, RestartReason: state.RestartReason ?? '', Health: health },
    { type: '*container.State', omitEmpty: ['RestartReason', 'Health'] },
  );
}

/** Fields that JSON leaves out and templates find, as Docker's `omitempty` does. */
const CONFIG_ABSENT: GoMap = {
  ExposedPorts: nilMap('container.PortSet'),
  Healthcheck: nilPointer('*container.HealthConfig'),
  NetworkDisabled: false,
  OnBuild: nilSlice(),
  StopSignal: '',
  StopTimeout: nilPointer('*int'),
  Shell: nilSlice(),
};

function configValue({ Healthcheck, ...config }: ContainerDocument['Config']): GoValue {
  const given = Object.entries(config).map(([key, value]): readonly [string, GoValue] => [key, goValue(value, key)]);
  const at = given.findIndex(([key]) => key === 'Cmd') + 1;
  const check = Healthcheck ? healthcheckValue(Healthcheck) : CONFIG_ABSENT.Healthcheck;
  const withCheck = given.toSpliced(at, 0, ['Healthcheck', check]);
  const labels = withCheck.findIndex(([key]) => key === 'Labels');
  const fields: GoMap = Object.fromEntries(
    labels < 0 ? withCheck : withCheck.toSpliced(labels, 0, ['OnBuild', CONFIG_ABSENT.OnBuild]),
  );
  return struct(
    { ...fields, ...without(CONFIG_ABSENT, fields) },
    { type: '*container.Config', omitEmpty: Object.keys(CONFIG_ABSENT).filter((key) => key !== 'OnBuild') },
  );
}

function without(values: GoMap, present: GoMap): GoMap {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !Object.hasOwn(present, key)));
}

function healthcheckValue(check: HealthcheckDocument): GoValue {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries, OnFailure = '', MaxRestarts = 0 } = check;
  const { Exec = '' } = check;
  const fields = {
    Test: Test ?? nilSlice(),
    Interval: duration(BigInt(Interval)),
    Timeout: duration(BigInt(Timeout)),
    StartPeriod: duration(BigInt(StartPeriod)),
    StartInterval: duration(BigInt(StartInterval)),
    Retries,
    OnFailure,
    MaxRestarts,
    Exec,
  };
  return struct(fields, { type: '*container.HealthConfig', omitEmpty: Object.keys(fields) });
}

/** Docker's maps among its structs: they have no fixed keys. Values of the first group are strings. */
const STRING_MAPS: ReadonlySet<string> = new Set([
  'Labels',
  'Tmpfs',
  'Sysctls',
  'Annotations',
  'StorageOpt',
  'DriverOpts',
]);
const MAPS: ReadonlySet<string> = new Set(['Ports', 'PortBindings', 'Networks', 'ExposedPorts', 'Volumes']);
const POINTERS: ReadonlySet<string> = new Set([
  'PidsLimit',
  'MemorySwappiness',
  'OomKillDisable',
  'Init',
  'IPAMConfig',
]);

/** Plain data as Docker's types would hold it. @param name the key that it stands under */
function goValue(value: unknown, name: string): GoValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value;
    case 'object':
      return value === null ? nilValue(name) : objectValue(value, name);
    default:
      return undefined;
  }
}

function nilValue(name: string): GoValue {
  if (POINTERS.has(name)) return nilPointer(`*${name}`);
  return STRING_MAPS.has(name) || MAPS.has(name) ? nilMap() : nilSlice();
}

function objectValue(value: object, name: string): GoValue {
  if (Array.isArray(value)) return value.map((item: unknown) => goValue(item, name));
  const entries = Object.entries(value);
  if (STRING_MAPS.has(name) || (name === 'Config' && isStrings(entries))) {
    return stringMap(Object.fromEntries(entries.map(([key, item]) => [key, String(item)])));
  }
  const fields = Object.fromEntries(entries.map(([key, item]) => [key, goValue(item, key)]));
  return MAPS.has(name) ? fields : struct(fields, { type: name });
}

const isStrings = (entries: readonly (readonly [string, unknown])[]): boolean =>
  entries.every(([, item]) => typeof item === 'string');
