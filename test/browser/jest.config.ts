import common from '../../jest.config.ts'

/** What a real browser shows of pages and emails. Apart from the rest, as it needs Chromium and takes a minute. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: [],
  maxWorkers: '100%',
}
