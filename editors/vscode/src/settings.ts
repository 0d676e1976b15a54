import * as vscode from 'vscode';

export const section = 'fluxcd';

/** Settings that the client itself acts on. They are not sent to the server. */
const clientOnly = new Set(['server.path', 'kubeconfig', 'snapshot']);

/** Those that need another server process, or none at all. */
export const needRestart = ['enable', 'server.path', 'kubeconfig', 'snapshot'];

type Properties = Record<string, unknown>;

/**
 * What the user set, nested by the dots of its names. Defaults are left out: the server has its own, and the user's
 * file (`config.toml`) must not be overruled by a value that nobody chose.
 */
export function settingsForServer(manifest: {
  contributes: { configuration: { properties: Properties } };
}): Properties {
  const configuration = vscode.workspace.getConfiguration(section);
  const settings: Properties = {};
  for (const full of Object.keys(manifest.contributes.configuration.properties)) {
    const name = full.slice(section.length + 1);
    if (clientOnly.has(name)) continue;
    const set = configuration.inspect(name);
    const isSet = [set?.globalValue, set?.workspaceValue, set?.workspaceFolderValue].some(
      (v) => v !== undefined,
    );
    // `get`, not the values of `inspect`: it knows scopes and workspace trust.
    if (isSet) put(settings, name.split('.'), configuration.get(name));
  }
  return settings;
}

function put(into: Properties, [head = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const inner = (into[head] ?? {}) as Properties;
  into[head] = inner;
  put(inner, rest, value);
}

export function get<T>(name: string, otherwise: T): T {
  return vscode.workspace.getConfiguration(section).get<T>(name, otherwise);
}
