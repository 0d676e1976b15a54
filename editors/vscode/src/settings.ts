import * as vscode from 'vscode';

export const section = 'fluxcd';

type Properties = Record<string, unknown>;

/** What of the extension's own manifest is read here. */
export interface Manifest {
  contributes: { configuration: { properties: Record<string, { scope?: string }> } };
}

/**
 * Settings that VS Code never takes from a workspace. They go on the command line, which the server takes for the user's own
 * word: in what an editor says over the protocol it allows nothing that is looser than the user's file.
 */
export function ownSettings(manifest: Manifest): string[] {
  return Object.entries(manifest.contributes.configuration.properties)
    .filter(([, property]) => property.scope === 'machine')
    .map(([full]) => full.slice(section.length + 1));
}

/** Those that need another server process, or none at all. */
export function needRestart(manifest: Manifest): string[] {
  return ['enable', ...ownSettings(manifest)];
}

export function serverArguments(manifest: Manifest): string[] {
  const configuration = vscode.workspace.getConfiguration(section);
  return ownSettings(manifest).flatMap((name) => {
    if (configuration.inspect(name)?.globalValue === undefined) return [];
    const value = configuration.get(name);
    if (name === 'server.path' || value === '') return [];
    if (name === 'kubeconfig' || name === 'snapshot') return [`--${name}`, String(value)];
    return ['--set', `${name}=${JSON.stringify(value)}`];
  });
}

/**
 * What the user set, nested by the dots of its names. Defaults are left out: the server has its own, and the user's
 * file (`config.toml`) must not be overruled by a value that nobody chose.
 */
export function settingsForServer(manifest: Manifest): Properties {
  const configuration = vscode.workspace.getConfiguration(section);
  const own = new Set(ownSettings(manifest));
  const settings: Properties = {};
  for (const full of Object.keys(manifest.contributes.configuration.properties)) {
    const name = full.slice(section.length + 1);
    if (own.has(name)) continue;
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
