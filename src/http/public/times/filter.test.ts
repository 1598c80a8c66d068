import { expect, test } from '@jest/globals'
import { aSession, type TestApp, testApp } from '../../../../test/app.ts'
import { openTimes } from '../../../actions/sessions/open-times.ts'
import { translatorFor } from '../../../core/words/words.ts'
import { filtered } from './filter.ts'

const choicesIn = async (app: TestApp, locale: string, language: string | null = null) => {
  const translator = translatorFor(app.templates.words, locale)
  return filtered(await openTimes(app), { topic: 'anxiety', language }, translator)
}

test('topics and languages to choose from have names in the language of the page', async () => {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground' })
  aSession(app, { group: 'Suelo Firme', topic: 'grief-and-loss' })
  app.db.$client.exec(`
    update groups set language = 'en';
    update groups set language = 'es' where title = 'Suelo Firme'`)
  expect(await choicesIn(app, 'es-MX', 'es')).toMatchObject({
    topics: [
      { slug: 'anxiety', name: 'Ansiedad', checked: true },
      { slug: 'grief-and-loss', name: 'Duelo y pérdidas', checked: false },
    ],
    languages: [
      { language: 'es', name: 'español', label: 'Grupo en español', checked: true },
      { language: 'en', name: 'inglés', label: 'Grupo en inglés', checked: false },
    ],
  })
  expect(await choicesIn(app, 'en')).toMatchObject({
    topics: [{ name: 'Anxiety' }, { name: 'Grief and loss' }],
    languages: [
      { label: 'Group in English', checked: false },
      { label: 'Group in Spanish', checked: false },
    ],
  })
})

test('where all groups are in one language, there is nothing to choose', async () => {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground' })
  aSession(app, { group: 'Low Tide' })
  app.db.$client.exec("update groups set language = 'en' where title = 'Low Tide'")
  expect((await choicesIn(app, 'en')).languages).toEqual([])
})
