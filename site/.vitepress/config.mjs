import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { math } from './math.mjs'
import { corners, documents, indented, links, others, pageOf, root } from './pages.mjs'
import { rooms } from './rooms.mjs'
import { group, pagesAt, section } from './section.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** What a page may load: its own files, and WebAssembly, which the kernels are. Nothing evaluates text. */
const policy = (scripts) =>
  [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' ${scripts.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'self'",
    "form-action 'none'"
  ].join('; ')

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const play = [
  { text: 'Covers', link: '/play/covers' },
  { text: 'Points', link: '/play/points' },
  { text: 'Faces', link: '/play/faces' }
]

/** Pages that stand apart in the sidebar; all others of `docs` are its guides. */
const first = ['docs/getting-started.md', 'docs/choosing-an-estimator.md']
const right = ['docs/errata.md']
const house = ['docs/architecture.md']
const sections = ['docs/derivations', 'docs/results', 'docs/decisions']

const results = group('Results', 'docs/results')

/** The playground alone, for who works on it: it is built in a fraction of the time. */
const quick = process.env.SITE_QUICK === '1'

/** Where the site is served from: `/`, or the folder that `SITE_BASE` names. */
const base = process.env.SITE_BASE ?? '/'

export default defineConfig({
  title: 'halforder',
  description: 'Gradient estimators for diffusion chains as values: read them, check them, compose them, run them',
  lang: 'en',
  base,
  srcDir: '..',
  cacheDir: './.cache',
  cleanUrls: true,
  // a page on a phone's plan loads itself and nothing else
  router: { prefetchLinks: false },
  srcExclude: quick ? [...others, ...documents] : others,
  ignoreDeadLinks: quick,
  outDir: quick ? './dist-quick' : './dist',
  rewrites: (file) => pageOf(file) ?? file,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}mark.svg` }]],
  markdown: {
    config: (md) => {
      md.use(math)
      md.use(links)
      md.use(corners)
      md.use(indented)
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' }
  },
  themeConfig: {
    logo: { src: '/mark.svg', alt: '' },
    search: {
      provider: 'local',
      options: { detailedView: false, translations: { button: { buttonText: 'Search', buttonAriaLabel: 'Search' } } }
    },
    outline: { level: [2, 3] },
    externalLinkIcon: false,
    nav: [
      { text: 'Play', items: play, activeMatch: '^/play/' },
      {
        text: 'Guides',
        link: '/guide',
        activeMatch: '^/(?!(play|derivations|results|api)/)\\w'
      },
      { text: 'Derivations', link: '/derivations/', activeMatch: '^/derivations/' },
      { text: 'Results', link: results.link ?? '/results/finetune', activeMatch: '^/results/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' }
    ],
    socialLinks: [
      { icon: 'github', link: 'https://github.com/halforder/halforder', ariaLabel: 'The source on GitHub' }
    ],
    sidebar: {
      ...rooms(),
      '/': [
        { text: 'Play', items: play },
        {
          text: 'Start',
          items: [
            { text: 'Overview', link: '/overview' },
            { text: 'All documentation', link: '/guide' },
            ...pagesAt(first),
            { text: 'The program', link: '/program' }
          ]
        },
        { text: 'Guides', items: section('docs', [...first, ...right, ...house, ...sections, 'docs/examples']) },
        {
          text: 'Why it is right',
          items: [group('Derivations', 'docs/derivations'), { text: 'Laws', link: '/laws' }, ...pagesAt(right)]
        },
        results,
        {
          text: 'The house',
          items: [
            ...pagesAt(house),
            { text: 'Kernels', link: '/kernels' },
            { text: 'Decisions', link: '/decisions/' },
            { text: 'Contributing', link: '/contributing' },
            { text: 'Changelog', link: '/changelog' },
            { text: 'API', link: '/api/' }
          ]
        }
      ]
    }
  },
  vite: {
    configFile: false,
    publicDir: here('../public'),
    resolve: {
      alias: [
        // the library, from its sources
        { find: /^halforder\/laws\/(.*)$/, replacement: `${root}laws/$1.ts` },
        { find: /^halforder\/(.*)$/, replacement: `${root}src/$1.ts` }
      ]
    },
    plugins: [
      {
        // pages stand outside of this workspace, and Vue inside
        name: 'vue-of-the-site',
        enforce: 'pre',
        resolveId(id, _importer, options) {
          if (!/^vue(\/|$)/.test(id)) return undefined
          return options.ssr
            ? { id, external: true }
            : this.resolve(id, here('./config.mjs'), { ...options, skipSelf: true })
        }
      }
    ],
    worker: { format: 'es' },
    build: { target: 'es2022', chunkSizeWarningLimit: 1500, assetsInlineLimit: 0 },
    server: { fs: { allow: [root] } }
  },
  // a policy in each page, since a static host sends no headers of ours: scripts in the page by what they are
  transformHtml: (code) => {
    const scripts = [...code.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].flatMap(([, text]) =>
      text === '' ? [] : [hashOf(text)]
    )
    const landmarks = code.includes('<main') ? code : code.replace('id="VPContent"', 'id="VPContent" role="main"')
    return landmarks.replace(
      /<meta charset="utf-8">/,
      (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy([...new Set(scripts)])}">`
    )
  }
})
