/**
 * Marks what was searched for, without touching the rows: the CSS Custom Highlight API paints ranges of text.
 * The styles stand in rows.css as ::highlight(found).
 */
export function highlight(root: Element, query: string): void {
  const wanted = query.toLowerCase();
  if (wanted === '') {
    CSS.highlights.delete('found');
    return;
  }
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.nodeValue?.toLowerCase() ?? '';
    for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      range.setStart(node, Math.min(at, node.nodeValue?.length ?? 0));
      range.setEnd(node, Math.min(at + wanted.length, node.nodeValue?.length ?? 0));
      ranges.push(range);
    }
  }
  CSS.highlights.set('found', new Highlight(...ranges));
}
