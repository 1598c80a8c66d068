import Handlebars from 'handlebars'
import { KINDS, LANGUAGES, type Mail } from './mail.ts'

/** A screenshot of one email in one look. `file` is relative to the sheet; `wide` is the viewport width in pixels. */
export type Picture = { mail: Mail; look: string; file: string; wide: number }

const SCALE = 0.4

/** A page with all pictures: one row per kind, with every language and look. */
export function contactSheet(pictures: readonly Picture[]): string {
  const sizes = [...new Set(pictures.map(({ mail }) => mail.size))]
  const rows = sizes.flatMap((size) =>
    KINDS.map((kind) => pictures.filter(({ mail }) => mail.kind === kind && mail.size === size)),
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>All emails at a glance</title>
<style>
  body { margin: 24px; font: 14px/20px system-ui, sans-serif; color: #222; background: #d9dadb; width: max-content }
  h2 { margin: 28px 0 4px; font-size: 19px }
  p { margin: 0 0 8px; color: #444 }
  .row, .language { display: flex; align-items: flex-start; gap: 12px }
  .row { gap: 36px }
  figure { margin: 0 }
  figcaption { font-size: 12px; color: #555 }
  img { display: block; box-shadow: 0 1px 5px #0005 }
  pre { background: #fff; padding: 16px; font-size: 12px; line-height: 16px }
</style>
</head>
<body>
<h1>All emails at a glance</h1>
${rows
  .filter((row) => row.length > 0)
  .map(rowOf)
  .join('\n')}
</body>
</html>
`
}

function rowOf(pictures: readonly Picture[]): string {
  const [first] = pictures
  const languages = LANGUAGES.map((language) => pictures.filter(({ mail }) => mail.language === language))
  return `<h2>${first?.mail.kind}${first?.mail.size === 'typical' ? '' : `, ${first?.mail.size}`}</h2>
<div class="row">${languages
    .filter((some) => some.length > 0)
    .map(languageOf)
    .join('')}</div>`
}

function languageOf(pictures: readonly Picture[]): string {
  const email = pictures[0]?.mail.email
  const inbox = `${email?.from.replace(/ <.*/, '')}: ${email?.subject}`
  return `<div><p>${escaped(inbox)}</p>
<div class="language">${pictures.map(figureOf).join('')}</div>
<details><summary>The text part</summary><pre>${escaped(email?.text ?? '')}</pre></details></div>`
}

const figureOf = ({ mail, look, file, wide }: Picture): string =>
  `<figure><figcaption>${look}</figcaption><a href="${file}"><img src="${file}" width="${Math.round(wide * SCALE)}" alt="${mail.name}, ${look}"></a></figure>`

const escaped = Handlebars.escapeExpression
