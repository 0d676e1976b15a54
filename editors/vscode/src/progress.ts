import * as vscode from 'vscode';
import type {
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

type Token = string | number;
type Value = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Running {
  report(value: { message?: string | undefined; percentage?: number | undefined }): void;
  end(): void;
}

/**
 * Shows work that can be cancelled as a notification with a Cancel button. The language client shows all work in the
 * status bar, where nothing can be pressed.
 */
export class CancellableProgress {
  private readonly running = new Map<Token, Running>();

  constructor(private readonly cancel: (token: Token) => void) {}

  /** The language client's middleware. */
  readonly handle = (token: Token, value: Value, next: (token: Token, value: Value) => void): void => {
    if (value.kind === 'begin') {
      if (value.cancellable) this.begin(token, value);
      else next(token, value);
      return;
    }
    const own = this.running.get(token);
    if (value.kind === 'report') {
      if (own) own.report(value);
      else next(token, value);
      return;
    }
    own?.end();
    // The client forgets the token, whoever showed it.
    next(token, value);
  };

  /** The server is gone: nothing will end by itself. */
  clear(): void {
    for (const own of this.running.values()) own.end();
  }

  private begin(token: Token, begin: WorkDoneProgressBegin): void {
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, cancellable: true, title: begin.title },
      (progress, cancelled) =>
        new Promise<void>((resolve) => {
          let percentage = 0;
          const own: Running = {
            report: (value) => {
              const increment =
                value.percentage === undefined ? 0 : Math.max(0, value.percentage - percentage);
              percentage += increment;
              progress.report({
                increment,
                ...(value.message === undefined ? {} : { message: value.message }),
              });
            },
            end: () => {
              this.running.delete(token);
              resolve();
            },
          };
          this.running.set(token, own);
          own.report(begin);
          cancelled.onCancellationRequested(() => this.cancel(token));
        }),
    );
  }
}
