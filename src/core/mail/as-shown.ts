/** What an inbox shows of an email beside its subject: the preheader, without its invisible padding. */
export function preheaderOf(html: string): string {
  const hidden = /<div style="display:none[^>]*>([^<]*)<\/div>/.exec(html)?.[1] ?? ''
  return hidden.replace(/\u200c|\u00a0|&zwnj;|&nbsp;/g, '').trim()
}

/** The email as a reader in this mode sees it. A frame cannot be told its mode, so the answer to the media query is fixed. */
export function inMode(html: string, mode: 'light' | 'dark'): string {
  return html
    .replaceAll('@media (prefers-color-scheme: dark)', mode === 'dark' ? '@media all' : '@media not all')
    .replaceAll('color-scheme: light dark', `color-scheme: ${mode}`)
}
