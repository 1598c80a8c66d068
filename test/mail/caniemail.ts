import { caniemail } from 'caniemail'
import mjml2html from 'mjml'
import { counted, type Finding } from './finding.ts'
import type { Mail } from './mail.ts'

const CLIENTS = [
  'gmail.desktop-webmail',
  'gmail.android',
  'gmail.ios',
  'outlook.windows',
  'outlook.outlook-com',
  'apple-mail.*',
  'yahoo.desktop-webmail',
] as const

/** Features we use although some clients lack them, and why nothing is lost there. */
const ALLOWED: Record<string, string> = {
  'color-scheme CSS property': 'clients without it show the light colors, which work on their own',
  'color-scheme meta tag': 'the same',
  'overflow-wrap':
    "MJML's own word-break does it in every cell; the look without <style> shows that it is enough",
  'white-space': 'a label or button that may wrap is still a label or button',
  '<bdi> element':
    'an unknown element is shown as its text; only the spaces around a right-to-left name may move',
  ':focus': 'clients without it draw their own focus ring, or have no keyboard',
  'outline-offset': 'the focus ring is closer to the link',
}

/** Features that few clients support and that caniemail does not detect. */
const BLIND: [RegExp, string][] = [
  [/\bvar\(/i, 'a custom property'],
  [/<svg/i, 'an inline svg'],
  [/gradient\(/i, 'a gradient'],
  [/<script/i, 'a script'],
  [/<link/i, 'a link element'],
  [/<form|<input|<button/i, 'a form'],
  [/@import|@font-face/i, 'an external font or style'],
  [/(?<![-\w])position\s*:/i, 'a position'],
  [/display\s*:\s*(inline-)?(flex|grid)/i, 'flex or grid'],
  [/\bcalc\(|\bclamp\(|\bmin\(|\bmax\(/i, 'calculated lengths'],
]

/** Finds what the big email clients do not support, except for what a blank MJML document already contains. */
export async function clientSupport(mails: readonly Mail[]): Promise<Finding[]> {
  const usual = new Set(unsupported(await blankDocument()))
  return mails.map((mail) => {
    const faults = unsupported(mail.email.html).filter(
      (fault) => !usual.has(fault) && !((fault.split(' in ')[0] ?? '') in ALLOWED),
    )
    return counted('caniemail, beyond blank MJML', mail.name, faults)
  })
}

/** Finds what caniemail does not detect. */
export function blindSpots({ name, email }: Mail): Finding[] {
  const faults = BLIND.flatMap(([pattern, what]) => {
    const found = pattern.exec(email.html)
    return found ? [`${what}: ${email.html.slice(found.index, found.index + 40)}`] : []
  })
  return [counted('beyond what clients can do', name, faults)]
}

/** For example `display: flex in outlook.windows`. Includes partial support. */
function unsupported(html: string): string[] {
  const { issues } = caniemail({ clients: [...CLIENTS], html })
  return [issues.errors, issues.warnings]
    .flatMap((found) =>
      [...found].flatMap(([client, list]) => list.map(({ title }) => `${title} in ${client}`)),
    )
    .filter((fault, index, all) => all.indexOf(fault) === index)
}

async function blankDocument(): Promise<string> {
  const blank = `<mjml lang="en" dir="ltr"><mj-head><mj-title>t</mj-title><mj-preview>p</mj-preview>
    <mj-attributes><mj-all font-family="Arial, sans-serif" /></mj-attributes></mj-head>
    <mj-body width="640px" background-color="#eeeeee"><mj-section background-color="#ffffff" border-radius="8px"><mj-column>
    <mj-image src="https://sample.test/logo.png" alt="logo" width="120px" /><mj-text>text</mj-text>
    <mj-table><tr><td>cell</td></tr></mj-table><mj-button href="https://sample.test">button</mj-button><mj-divider />
    </mj-column></mj-section></mj-body></mjml>`
  const { html } = await mjml2html(blank, { validationLevel: 'strict', fonts: {}, keepComments: false })
  return html
}
