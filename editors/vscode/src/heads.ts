import type { HeadStatus } from './protocol';

/** A repository's HEAD, and the folder on the disk. */
export interface Placed {
  folder: string;
  head: HeadStatus;
}

/**
 * The HEAD to tell of: the one of the innermost repository that holds the file, else the only one there is. Paths as
 * `Uri.fsPath` spells them.
 */
export function headOf(all: Placed[], file: string | undefined): HeadStatus | undefined {
  const holds = ({ folder }: Placed) => file?.startsWith(folder) && /[/\\]/.test(file.charAt(folder.length));
  const [innermost] = all.filter(holds).sort((a, b) => b.folder.length - a.folder.length);
  return innermost?.head ?? (all.length === 1 ? all[0]?.head : undefined);
}

/** Texts side by side, those that say something. */
export function joined(texts: (string | undefined)[], between: string): string {
  return texts.filter((text) => text !== undefined && text !== '').join(between);
}
