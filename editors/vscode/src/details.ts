import * as vscode from 'vscode';
import type { DetailsParams } from './protocol';

const scheme = 'fluxcd-details';

/** Shows texts of the server beside the editor, as a Markdown preview of a document that exists only here. */
export class Details implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  private readonly texts = new Map<string, string>();
  readonly onDidChange = this.changed.event;

  constructor() {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? 'This text is from an earlier session. Ask for it again.';
  }

  async show({ title, markdown }: DetailsParams): Promise<void> {
    // The path is what the tab is named after.
    const uri = vscode.Uri.from({ scheme, path: `/${title.replaceAll('/', ' ')}.md` });
    const text = inert(markdown);
    if (this.texts.get(uri.toString()) !== text) {
      this.texts.set(uri.toString(), text);
      this.changed.fire(uri);
    }
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

/**
 * Takes HTML and images out of a text. The server escapes what comes from a cluster already; this is the second lock, because the
 * preview would render HTML and fetch images.
 */
export function inert(markdown: string): string {
  let fence: string | undefined;
  return markdown
    .split('\n')
    .map((line) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
      if (fence !== undefined) {
        const closes = mark?.startsWith(fence) && line.trim() === mark;
        if (closes) fence = undefined;
        return line;
      }
      if (mark !== undefined) {
        fence = mark;
        return line;
      }
      // Odd parts are code spans, which are shown as they are.
      return line
        .split(/(`+[^`]*`+)/)
        .map((part, i) => (i % 2 === 1 ? part : part.replaceAll('<', '&lt;').replaceAll('![', '!\\[')))
        .join('');
    })
    .join('\n');
}
