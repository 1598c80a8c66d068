import { HtmlValidate, StaticConfigLoader } from 'html-validate'
import { parse } from 'node-html-parser'
import { counted, type Finding } from './finding.ts'
import { type Mail, unsaidIn } from './mail.ts'

/** Turns off rules that email must break: comments and attributes for Outlook, inline styles. */
const validator = () =>
  new HtmlValidate(
    new StaticConfigLoader({
      root: true,
      extends: ['html-validate:standard', 'html-validate:a11y', 'html-validate:document'],
      rules: {
        'no-conditional-comment': 'off',
        'no-inline-style': 'off',
        'no-deprecated-attr': 'off',
        'presentation-role-style': 'off',
        'prefer-native-element': 'off',
        'long-title': 'off',
        'require-sri': 'off',
      },
    }),
  )

/** Checks the HTML with html-validate, and what screen readers need that it does not check. */
export async function markup(mails: readonly Mail[]): Promise<Finding[]> {
  const validate = validator()
  const findings: Finding[] = []
  for (const mail of mails) {
    const { results } = await validate.validateString(mail.email.html)
    const faults = results.flatMap(({ messages }) =>
      messages.map(({ ruleId, message, line, column }) => `${ruleId} at ${line}:${column}: ${message}`),
    )
    findings.push(
      counted('html-validate', mail.name, faults),
      counted('language, headings, tables', mail.name, shapeFaults(mail)),
    )
  }
  return findings
}

function shapeFaults({ email, language, mustSay }: Mail): string[] {
  const page = parse(email.html)
  const root = page.querySelector('html')
  const levels = page
    .querySelectorAll('h1, h2, h3, h4, h5, h6')
    .map(({ rawTagName }) => Number(rawTagName.slice(1)))
  const languages = page.querySelectorAll('[lang]').map((e) => e.getAttribute('lang') ?? '')
  const faults: [boolean, string][] = [
    [
      root?.getAttribute('lang')?.slice(0, 2) !== language,
      `lang is ${root?.getAttribute('lang')}, not ${language}`,
    ],
    [
      languages.some((one) => one.slice(0, 2) !== language),
      `a part in another language: ${languages.join(' ')}`,
    ],
    [root?.getAttribute('dir') !== 'ltr', `dir is ${root?.getAttribute('dir')}`],
    [levels.filter((level) => level === 1).length !== 1, 'not exactly one h1'],
    [
      levels.some((level, index) => level > (levels[index - 1] ?? 0) + 1),
      `headings skip a level: ${levels.join(' ')}`,
    ],
    [
      page
        .querySelectorAll('table')
        .some((table) => !/^(presentation|none)$/.test(table.getAttribute('role') ?? '')),
      'a layout table without a presentation role',
    ],
    [
      page.querySelectorAll('script, iframe, form, object, video').length > 0,
      'an element that must not be in email',
    ],
    [email.html.includes('<script'), 'a script'],
  ]
  const unsaid = unsaidIn(page.querySelector('body')?.text ?? '', mustSay)
  return [...faults.filter(([wrong]) => wrong).map(([, what]) => what), ...unsaid]
}
