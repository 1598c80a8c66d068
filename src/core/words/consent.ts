import type { Translator } from './words.ts'

/** What a new subscriber agrees to; the page shows it beside the button. */
export function consentWording(practice: string, { t }: Translator): string {
  return t('consent', { practice })
}

/** The wording as shown, with its language. Stored as proof of consent (GDPR art. 7.1). */
export function consentEvidence(practice: string, translator: Translator): string {
  return `${consentWording(practice, translator)} (${translator.language})`
}
