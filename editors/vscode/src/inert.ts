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
