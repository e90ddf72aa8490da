import DOMPurify from 'dompurify';
import { Marked } from 'marked';
import { h } from './dom.ts';
import { linkTarget } from './links.ts';
import { readable } from './text.ts';

/**
 * Agent text as Markdown. Three walls: HTML in the text is shown as text, the renderer makes only plain elements, and
 * DOMPurify lets nothing else through. No image is loaded, and no link has an address that the browser would follow.
 */
const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ text, href }) => escape(`[${text === '' ? href : text}]`),
    code: ({ text }) => `<pre><code>${escape(text)}</code></pre>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

const TAGS = [
  ...['a', 'p', 'br', 'hr', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li'],
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
];

const CACHED = 300;
const cache = new Map<string, DocumentFragment>();

/** A row is drawn time and again: what was made of a text is kept, by the text itself, whichever session has it. */
export function markdown(source: string): DocumentFragment {
  let fragment = cache.get(source);
  if (fragment === undefined) {
    fragment = render(readable(source));
    cache.set(source, fragment);
    const oldest = cache.keys().next().value;
    if (cache.size > CACHED && oldest !== undefined) {
      cache.delete(oldest);
    }
  }
  return fragment.cloneNode(true) as DocumentFragment;
}

function render(source: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parse(source) as string, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'start'],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
    // The form of an address is checked below; here it only has to survive.
    ALLOWED_URI_REGEXP: /^(?:https?:|file:|[^:]*$|[^/?#]*:\d)/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const anchor of fragment.querySelectorAll('a')) {
    const href = anchor.getAttribute('href') ?? '';
    const target = linkTarget(href);
    const link = target === undefined ? h('span') : h('a', { class: 'link', role: 'link', tabindex: -1, title: href });
    if (target !== undefined) {
      link.dataset['target'] = JSON.stringify(target);
    }
    link.append(...anchor.childNodes);
    anchor.replaceWith(link);
  }
  // A heading of the agent's is no heading of the page.
  for (const heading of fragment.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const paragraph = h('p', { class: 'heading' });
    paragraph.append(...heading.childNodes);
    heading.replaceWith(paragraph);
  }
  return fragment;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
