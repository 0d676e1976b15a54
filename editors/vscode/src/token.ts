import * as vscode from 'vscode';
import type { TokenParams } from './protocol';

/**
 * The token of the account that the user signed in with at GitHub, in VS Code's own way. The server asks for it within the user's
 * command only, so that VS Code may ask to sign in; who does not want to is `null`, and the server goes on without.
 */
export async function token(params: TokenParams): Promise<string | null> {
  if (params.host !== 'github.com') return null;
  try {
    const session = await vscode.authentication.getSession('github', ['repo:status'], { createIfNone: true });
    return session.accessToken;
  } catch {
    return null;
  }
}
