import { constants, promises as fs } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import {
  CloseAction,
  type CloseHandlerResult,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  WorkDoneProgressCancelNotification,
} from 'vscode-languageclient/node';
import type { Details } from './details';
import { pick } from './pick';
import { CancellableProgress } from './progress';
import type { DetailsParams, PickParams, StatusParams, TokenParams } from './protocol';
import { get, type Manifest, needRestart, section, serverArguments, settingsForServer } from './settings';
import type { Status } from './status';
import { token } from './token';

/** The documents that the server is told of. It stays silent in YAML that is not Kubernetes. */
// A Helm extension calls a chart's templates by a language of its own.
const selector = ['yaml', 'helm'].map((language) => ({ scheme: 'file', language }));

/** A server that ends this often within `crashWindow` is not started again by itself. */
const crashLimit = 4;
const crashWindow = 3 * 60 * 1000;

/**
 * The language client has messages of its own for a connection that fails; `Server` tells the same once, with what can be
 * done. They still go to the output.
 */
class Client extends LanguageClient {
  override error(message: string, data?: unknown, showNotification?: boolean | 'force'): void {
    super.error(message, data, showNotification === 'force' ? false : showNotification);
  }
}

/** The server process and the connection to it. Starting and stopping happen one after the other. */
export class Server implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel('Flux CD Live', { log: true });
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();
  private crashes: number[] = [];
  /** Whether this client's server has ever answered. Until then `doStart` tells what happened. */
  private cameUp = false;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly status: Status,
    private readonly details: Details,
  ) {}

  start(): Promise<void> {
    return this.enqueue(() => this.doStart());
  }

  stop(): Promise<void> {
    return this.enqueue(() => this.doStop());
  }

  restart(): Promise<void> {
    this.crashes = [];
    return this.enqueue(async () => {
      await this.doStop();
      await this.doStart();
    });
  }

  /** Runs a command of the server. It answers at once; what takes time is reported as progress. */
  async execute(command: string, argument?: unknown): Promise<unknown> {
    await this.queue;
    if (!this.client?.isRunning()) {
      const off = !get('enable', true);
      void vscode.window.showWarningMessage(
        off
          ? 'Flux: switched off by the setting fluxcd.enable.'
          : 'Flux: the server does not run. See Flux: Show Output.',
      );
      return undefined;
    }
    return this.client.sendRequest(ExecuteCommandRequest.type, {
      command,
      arguments: argument === undefined ? [] : [argument],
    });
  }

  async configurationChanged(event: vscode.ConfigurationChangeEvent): Promise<void> {
    if (!event.affectsConfiguration(section)) return;
    this.status.draw();
    if (needRestart(this.manifest).some((name) => event.affectsConfiguration(`${section}.${name}`))) {
      await this.restart();
      return;
    }
    await this.notify('workspace/didChangeConfiguration', { settings: { [section]: this.settings() } });
  }

  /** The user trusts the workspace from now on. */
  trusted(): Promise<void> {
    return this.notify('fluxcd/trusted');
  }

  dispose(): void {
    this.output.dispose();
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    const next = this.queue.then(step);
    this.queue = next.catch((error: unknown) => this.output.error(String(error)));
    return next;
  }

  private async notify(method: string, params?: object): Promise<void> {
    await this.queue;
    if (this.client?.isRunning()) await this.client.sendNotification(method, params);
  }

  private get manifest(): Manifest {
    return this.context.extension.packageJSON;
  }

  private settings(): Record<string, unknown> {
    return settingsForServer(this.manifest);
  }

  private async doStart(): Promise<void> {
    if (this.client || !get('enable', true)) return;
    const command = await this.program();
    if (!command) return;

    const client: LanguageClient = new Client(
      'fluxcd-ls',
      'Flux CD Live',
      // Not in the workspace: a relative name anywhere must never find a file of the repository.
      { command, args: serverArguments(this.manifest), options: { cwd: homedir() } },
      this.clientOptions(() => client),
    );
    client.onRequest('fluxcd/pick', (params: PickParams, token) => pick(params, token));
    client.onRequest('fluxcd/token', (params: TokenParams) => token(params));
    client.onNotification('fluxcd/details', (params: DetailsParams) => this.details.show(params));
    client.onNotification('fluxcd/status', (params: StatusParams) => this.status.update(params));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) this.status.update(undefined);
    });
    this.client = client;
    this.cameUp = false;
    try {
      await client.start();
      this.cameUp = true;
    } catch (error) {
      this.client = undefined;
      this.offerHelp(`Flux: the server ${command} does not start: ${reason(error)}`);
    }
  }

  private async doStop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.status.update(undefined);
    if (!client) return;
    // A server that does not answer is ended by the client after its time limit; its error says nothing more.
    await client.dispose().catch((error: unknown) => this.output.warn(String(error)));
  }

  private clientOptions(client: () => LanguageClient): LanguageClientOptions {
    const progress = new CancellableProgress((token) => {
      void client().sendNotification(WorkDoneProgressCancelNotification.type, { token });
    });
    return {
      documentSelector: selector,
      outputChannel: this.output,
      diagnosticCollectionName: section,
      initializationOptions: () => ({
        settings: this.settings(),
        trusted: vscode.workspace.isTrusted,
        client: { pick: true, details: true, status: true, token: true },
      }),
      initializationFailedHandler: () => false,
      markdown: { isTrusted: false, supportHtml: false },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          progress.clear();
          return this.closed(client());
        },
      },
      // The client would tell of each request that fails while a server ends. What a person asked for is told below.
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      middleware: {
        executeCommand: async (command, args, next) => {
          try {
            return await next(command, args);
          } catch (error) {
            void vscode.window.showErrorMessage(
              `Flux: ${error instanceof Error ? error.message : String(error)}`,
            );
            return undefined;
          }
        },
        handleWorkDoneProgress: progress.handle,
        workspace: {
          // Only what the user set; the client's own answer would add every default.
          configuration: (params) =>
            params.items.map((item) => {
              const names = item.section?.split('.') ?? [];
              if (names.shift() !== section) return null;
              return (
                names.reduce<unknown>(
                  (at, name) => (at as Record<string, unknown>)?.[name],
                  this.settings(),
                ) ?? null
              );
            }),
          didChangeConfiguration: async () => undefined,
        },
      },
    };
  }

  private closed(client: LanguageClient): CloseHandlerResult {
    if (client.state !== State.Running) {
      // It never came up, and a second try would end the same way.
      if (this.cameUp) {
        this.client = undefined;
        this.offerHelp('Flux: the server ended unexpectedly and does not start again.');
      }
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    const now = Date.now();
    this.crashes = [...this.crashes.filter((at) => now - at < crashWindow), now];
    if (this.crashes.length < crashLimit) {
      this.output.warn(
        `The server ended unexpectedly; starting it again (${this.crashes.length} of ${crashLimit - 1}).`,
      );
      return { action: CloseAction.Restart, handled: true };
    }
    this.client = undefined;
    this.offerHelp(
      `Flux: the server ended unexpectedly ${crashLimit} times within ${crashWindow / 60_000} minutes and is not started again. ` +
        'What is shown of clusters is gone; your files are not touched.',
    );
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  /** Does not wait for the answer: other steps must not wait for a person. */
  private offerHelp(message: string): void {
    this.output.error(message);
    const again = 'Restart Server';
    const show = 'Show Output';
    void vscode.window.showErrorMessage(message, again, show).then((chosen) => {
      if (chosen === again) void this.restart();
      if (chosen === show) this.output.show();
    });
  }

  /** The program to run, if there is one that can be run. */
  private async program(): Promise<string | undefined> {
    const configured = get('server.path', '');
    if (configured !== '' && !isAbsolute(configured)) {
      this.refuse(`fluxcd.server.path must be an absolute path, it is "${configured}".`);
      return undefined;
    }
    const bundled = `server/fluxcd-ls${process.platform === 'win32' ? '.exe' : ''}`;
    const program = configured || this.context.asAbsolutePath(bundled);
    try {
      await fs.access(program, constants.X_OK);
      return program;
    } catch {
      const what = configured
        ? `fluxcd.server.path names ${program}, which is not there or cannot be run.`
        : `this extension has no server for ${process.platform}-${process.arch}. Install the build for your platform, or set fluxcd.server.path.`;
      this.refuse(what);
      return undefined;
    }
  }

  private refuse(what: string): void {
    const message = `Flux: ${what}`;
    this.output.error(message);
    const open = 'Open Settings';
    void vscode.window.showErrorMessage(message, open).then((chosen) => {
      if (chosen === open)
        void vscode.commands.executeCommand('workbench.action.openSettings', 'fluxcd.server.path');
    });
  }
}

/** A process that ends at once shows up as a broken pipe, which says nothing to a person. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /stream|connection|EPIPE/i.test(text) ? `it ended before it answered (${text}).` : text;
}
