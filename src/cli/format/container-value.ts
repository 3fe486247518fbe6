import {
  duration,
  type EmbeddedStruct,
  type GoMap,
  type GoValue,
  nilMap,
  nilPointer,
  nilSlice,
  stringMap,
  struct,
  time,
} from '../../go/template/template.ts';
import type { ResultDocument } from '../../health/state-json.ts';
import type { ContainerDocument, HealthcheckDocument, StateDocument } from '../../record/document.ts';
import {
  CONFIG_FIELDS,
  type DockerField,
  HOST_CONFIG_FIELDS,
  MOUNT_POINT_FIELDS,
  RESOURCES_FIELDS,
} from './docker-structs.ts';

/**
 * The document in the form of Docker's Go structs, for templates: durations print as `30s`, absent health is nil, a
 * missing label is empty.
 */
export function containerValue(document: ContainerDocument): GoValue {
  const typed: GoMap = {
    State: stateValue(document.State),
    HostConfig: layOut(document.HostConfig, {
      type: '*container.HostConfig',
      fields: HOST_CONFIG_FIELDS,
      embedded: [RESOURCES],
    }),
    GraphDriver: struct({ Data: nilMap(), Name: document.GraphDriver.Name }, { type: 'storage.DriverData' }),
    Config: configValue(document.Config),
    Mounts: document.Mounts.map((mount) =>
      layOut({ ...mount }, { type: 'container.MountPoint', fields: MOUNT_POINT_FIELDS }),
    ),
    NetworkSettings: networkSettingsValue(document.NetworkSettings),
  };
  const { Id, ...others } = document;
  // The document's keys are in Docker's order.
  const fields = Object.entries(others).map(([key, value]): readonly [string, GoValue] => [
    key,
    Object.hasOwn(typed, key) ? typed[key] : goValue(value, key),
  ]);
  // A size that was not requested is nil and omitted; 0 is shown.
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
        { Status: Health.Status, FailingStreak: Health.FailingStreak, Log: Health.Log.map(resultValue) },
        { type: '*container.Health' },
      )
    : nilPointer('*container.Health');
  const additions = ['RestartReason'];
  return struct(
    { ...state, RestartReason: state.RestartReason ?? '', Health: health },
    { type: '*container.State', omitEmpty: [...additions, 'Health'], additions },
  );
}

/** Its times are Go's, with their methods; those of a container's state are strings in Docker. */
function resultValue({ Start, End, ...result }: ResultDocument): GoValue {
  return struct({ Start: time(Start), End: time(End), ...result }, { type: '*container.HealthcheckResult' });
}

function configValue({ Healthcheck, ...config }: ContainerDocument['Config']): GoValue {
  const check = Healthcheck ? { Healthcheck: healthcheckValue(Healthcheck) } : {};
  // Docker's `omitempty`, except for this field, which its JSON has.
  return layOut(config, { type: '*container.Config', fields: CONFIG_FIELDS, typed: check, shown: ['OnBuild'] });
}

interface Layout {
  readonly type: string;
  readonly fields: readonly DockerField[];
  /** Typed values for fields whose document value lacks the type. */
  readonly typed?: GoMap;
  /** Shown in JSON although the document lacks it. */
  readonly shown?: readonly string[];
  readonly embedded?: readonly EmbeddedStruct[];
}

/** A document as Docker's struct: all fields in order, under their Go names. JSON has only those of the document. */
function layOut(document: Readonly<Record<string, unknown>>, layout: Layout): GoValue {
  const { type, fields, typed = {}, shown = [], embedded = [] } = layout;
  const keyOf = ({ name, key = name }: DockerField): string => key;
  const known = new Set(fields.map(keyOf));
  const additions = Object.keys(document).filter((key) => !known.has(key));
  const fieldValue = (field: DockerField): GoValue => {
    const key = keyOf(field);
    if (Object.hasOwn(typed, key)) return typed[key];
    return Object.hasOwn(document, key) ? goValue(document[key], key) : field.zero;
  };
  const absent = fields.filter(
    (field) =>
      !(Object.hasOwn(document, keyOf(field)) || Object.hasOwn(typed, keyOf(field)) || shown.includes(field.name)),
  );
  return struct(
    {
      ...Object.fromEntries(fields.map((field) => [field.name, fieldValue(field)])),
      ...Object.fromEntries(additions.map((key) => [key, goValue(document[key], key)])),
    },
    {
      ...{ type, embedded, additions },
      jsonNames: Object.fromEntries(fields.map((field) => [field.name, keyOf(field)])),
      omitEmpty: absent.map(({ name }) => name),
    },
  );
}

const RESOURCES: EmbeddedStruct = {
  name: 'Resources',
  type: 'container.Resources',
  fields: RESOURCES_FIELDS.map(({ name }) => name),
};

function healthcheckValue(check: HealthcheckDocument): GoValue {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries, OnFailure = '', MaxRestarts = 0 } = check;
  const { Exec = '', Reap = false } = check;
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
    Reap,
  };
  const additions = ['OnFailure', 'MaxRestarts', 'Exec', 'Reap'];
  return struct(fields, { type: '*container.HealthConfig', omitEmpty: Object.keys(fields), additions });
}

/** Docker 28.5 has two structs in it, which a template prints as such. */
function networkSettingsValue(settings: ContainerDocument['NetworkSettings']): GoValue {
  const fields = Object.entries(settings).map(([key, value]): readonly [string, GoValue] => [key, goValue(value, key)]);
  const at = (name: string): number => fields.findIndex(([key]) => key === name);
  const names = (from: string, to: string): readonly string[] =>
    fields.slice(Math.max(at(from), 0), at(to)).map(([key]) => key);
  const embedded = [
    { name: 'NetworkSettingsBase', type: 'container.NetworkSettingsBase', fields: names('Bridge', 'EndpointID') },
    {
      name: 'DefaultNetworkSettings',
      type: 'container.DefaultNetworkSettings',
      fields: names('EndpointID', 'Networks'),
    },
  ];
  return struct(Object.fromEntries(fields), { type: '*container.NetworkSettings', embedded });
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

/** Plain data in Docker's types. @param name its key */
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
