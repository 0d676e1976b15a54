import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { Details } from './details';
import { Server } from './server';
import { Status } from './status';

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const status = new Status();
  const details = new Details();
  const running = new Server(context, status, details);
  server = running;
  context.subscriptions.push(
    status,
    details,
    running,
    registerCommands(running, status, details),
    vscode.workspace.onDidChangeConfiguration((event) => running.configurationChanged(event)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.trusted()),
  );
  await running.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
