/**
 * Writes the API pages, `api/`, from the doc comments of the library: one page a public module, its exports by category with
 * their declarations as they are in the source, and links to the types that they name.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { allModules, publicModules, root, specifier } from './modules.mjs'

const out = fileURLToPath(new URL('../api/', import.meta.url))

const source = (file, line) => `https://github.com/halforder/halforder/blob/main/${file}${line ? `#L${line}` : ''}`

/** Where a module's page is, from `api/`. */
const pageOf = (file) => (file === 'src/index.ts' ? 'halforder.md' : file.replace(/^src\//, '').replace(/\.ts$/, '.md'))

// -------------------------------------------------------------------------------------
// doc comments
// -------------------------------------------------------------------------------------

/** A doc comment: its prose, and its tags by name. */
const readComment = (text) => {
  const lines = text
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  const parts = [{ tag: '', lines: [] }]
  for (const line of lines) {
    const found = /^\s*@(\w+) ?(.*)$/.exec(line)
    // on one line, tags may come after the prose
    const after = found === null ? /^(.*?\S) (@(?:since|category) .*)$/.exec(line.trim()) : null
    if (after !== null) {
      parts.at(-1).lines.push(after[1])
      for (const [, tag, text] of after[2].matchAll(/@(\w+) ([^@]*)/g)) parts.push({ tag, lines: [text.trim()] })
    } else if (found === null) parts.at(-1).lines.push(line)
    else parts.push({ tag: found[1], lines: [found[2]] })
  }
  const [{ lines: prose }, ...tags] = parts
  return {
    prose: prose.join('\n').trim(),
    tag: (name) =>
      tags
        .find(({ tag }) => tag === name)
        ?.lines.join('\n')
        .trim(),
    tags: (name) => tags.filter(({ tag }) => tag === name).map((one) => one.lines.join('\n').trim())
  }
}

/** The doc comments before a position of a text, the nearest last. */
const commentsBefore = (text, position) =>
  (ts.getLeadingCommentRanges(text, position) ?? [])
    .map(({ pos, end }) => text.slice(pos, end))
    .filter((one) => one.startsWith('/**'))

// -------------------------------------------------------------------------------------
// declarations
// -------------------------------------------------------------------------------------

/** The declaration of a statement for a reader: without bodies and values that a type tells of already. */
const signature = (statement, file) => {
  const text = file.text
  const from = statement.getStart(file)
  if (!ts.isVariableStatement(statement)) {
    const end = ts.isFunctionDeclaration(statement) && statement.body ? statement.body.getStart(file) : statement.end
    return text.slice(from, end).trim()
  }
  const [declaration] = statement.declarationList.declarations
  const { type, initializer } = declaration
  if (type !== undefined) return text.slice(from, type.end)
  if (initializer === undefined) return text.slice(from, statement.end)
  // an arrow is told by its parameters and its result; of arrows that give arrows, all but the last body
  let arrow = initializer
  if (!ts.isArrowFunction(arrow))
    return text.slice(from, initializer.getStart(file)).replace(/\s*=\s*$/, '') || text.slice(from, statement.end)
  while (ts.isArrowFunction(arrow.body)) arrow = arrow.body
  return text.slice(from, arrow.equalsGreaterThanToken.getStart(file)).trim()
}

/** The names of types and values that a declaration mentions. */
const mentioned = (statement) => {
  const names = new Set()
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const name = ts.isTypeReferenceNode(node) ? node.typeName : node.expression
      names.add(name.getText())
    }
    if (ts.isBlock(node)) return
    ts.forEachChild(node, visit)
  }
  visit(statement)
  return names
}

const isExported = (statement) =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

const nameOf = (statement, file) =>
  ts.isVariableStatement(statement)
    ? statement.declarationList.declarations[0].name.getText(file)
    : statement.name?.getText(file)

/** A module as read: what it says of itself, its exports, what it exports of others, and where its imports are from. */
const readModule = (path) => {
  const text = readFileSync(root + path, 'utf8')
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const target = (node) => join(dirname(path), node.text).replace(/\.js$/, '.ts')
  const [about = ''] = commentsBefore(text, 0)
  // of comments before the first statement, the first is the module's
  const commentOf = (statement) => {
    const own = commentsBefore(text, statement.pos).slice(statement === file.statements[0] && about !== '' ? 1 : 0)
    return readComment(own.at(-1) ?? '/** */')
  }
  const exports = []
  const passed = []
  const imports = new Map()
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement) && statement.moduleSpecifier.text.startsWith('.')) {
      const from = target(statement.moduleSpecifier)
      const clause = statement.importClause
      const named = clause?.namedBindings
      if (named !== undefined && ts.isNamespaceImport(named)) imports.set(named.name.text, { from })
      else if (named !== undefined) {
        for (const one of named.elements)
          imports.set(one.name.text, { from, name: (one.propertyName ?? one.name).text })
      }
    }
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier?.text.startsWith('.')) {
      const from = target(statement.moduleSpecifier)
      const clause = statement.exportClause
      const comment = commentOf(statement)
      if (clause === undefined) passed.push({ from })
      else if (ts.isNamespaceExport(clause)) passed.push({ from, as: clause.name.text, comment })
      else
        passed.push({
          from,
          names: clause.elements.map(({ name, propertyName }) => [name.text, (propertyName ?? name).text])
        })
    }
    if (!isExported(statement)) continue
    const name = nameOf(statement, file)
    // of overloads the first has the comment
    const written = commentOf(statement)
    const comment = written.prose === '' ? (exports.find((one) => one.name === name)?.comment ?? written) : written
    exports.push({
      name,
      comment,
      category: comment.tag('category') ?? 'others',
      line: file.getLineAndCharacterOfPosition(statement.getStart(file)).line + 1,
      signature: signature(statement, file),
      mentions: mentioned(statement)
    })
  }
  return { path, about: readComment(about || '/** */'), exports, passed, imports }
}

// -------------------------------------------------------------------------------------
// pages
// -------------------------------------------------------------------------------------

// formulas in comments are indented, as text: what looks like a tag or a binding in prose is text too
const prose = (text) =>
  text
    .split('\n')
    .map((line) =>
      /^ {4}/.test(line)
        ? line
        : line
            .split(/(`[^`]*`)/)
            .map((part) =>
              part.startsWith('`')
                ? part
                : part.replaceAll('<', '&lt;').replaceAll('{', '&#123;').replaceAll('$', '\\$')
            )
            .join('')
    )
    .join('\n')

const firstSentence = (text) => {
  const [paragraph = ''] = text.split(/\n\s*\n/)
  const line = paragraph.replace(/\s*\n\s*/g, ' ')
  return (/^.*?\.(?= |$)/.exec(line)?.[0] ?? line).replace(/:$/, '.')
}

const example = (text) => ['', '```ts', text, '```', '']

/** The pages of modules, from `api/`. */
export const pages = () => {
  const every = new Map(allModules().map((path) => [path, readModule(path)]))
  const modules = new Map(publicModules().map((path) => [path, every.get(path)]))
  /** The exports of a module, those among them that it has from modules that are closed. */
  const exportsOf = (module) => {
    const own = module.exports.map((one) => ({ ...one, home: module }))
    const names = new Set(own.map(({ name }) => name))
    return [...own, ...passedExports(module).filter(({ name }) => !names.has(name))]
  }
  const passedExports = (module) =>
    module.passed.flatMap(({ from, names, as }) => {
      const there = every.get(from)
      if (there === undefined || as !== undefined || modules.has(from)) return []
      const own = exportsOf(there)
      return names === undefined
        ? own
        : names.flatMap(([outer, inner]) => own.flatMap((one) => (one.name === inner ? [{ ...one, name: outer }] : [])))
    })
  const link = (from, path, name) => {
    const page = pageOf(path)
    const up = '../'.repeat(pageOf(from).split('/').length - 1) || './'
    return `${up}${page}${name === undefined ? '' : `#${name}`}`
  }
  /** Where a name is declared that a module sees by this name. */
  const find = (path, name, seen = new Set()) => {
    if (seen.has(`${path} ${name}`)) return undefined
    seen.add(`${path} ${name}`)
    const module = modules.get(path)
    if (module === undefined) {
      const door = every.has(path) ? doorOf(path) : undefined
      return door === undefined ? undefined : find(door, name, seen)
    }
    if (exportsOf(module).some((one) => one.name === name)) return { path, name }
    for (const one of module.passed) {
      const own = one.names?.find(([outer]) => outer === name)
      if (own !== undefined) return find(one.from, own[1], seen)
      if (one.names === undefined && one.as === undefined) {
        const found = find(one.from, name, seen)
        if (found !== undefined) return found
      }
    }
    return undefined
  }
  const resolve = (module, mention) => {
    const [head, ...rest] = mention.split('.')
    const imported = module.imports.get(head)
    if (imported === undefined) return rest.length === 0 ? find(module.path, head) : undefined
    if (imported.name !== undefined) return find(imported.from, imported.name)
    return rest.length === 1 ? find(imported.from, rest[0]) : undefined
  }
  /** The public module that has the exports of a closed one. */
  const doorOf = (path) =>
    [...modules.values()].find(({ passed }) => passed.some(({ from, as }) => from === path && as === undefined))?.path
  const entry = (module, one, id) => {
    const see = [...one.mentions].flatMap((mention) => {
      const found = resolve(one.home, mention) ?? resolve(module, mention)
      return found === undefined || (found.path === module.path && found.name === one.name)
        ? []
        : [`[${found.name}](${link(module.path, found.path, found.name)})`]
    })
    return [
      `### ${one.name} {#${id}}`,
      '',
      prose(one.comment.prose),
      '',
      '```ts',
      one.signature,
      '```',
      ...one.comment.tags('example').flatMap(example),
      '',
      `<small>${see.length === 0 ? '' : `Types: ${[...new Set(see)].join(', ')} · `}${one.home.path.endsWith('.gen.ts') ? '' : `[Source](${source(one.home.path, one.line)}) · `}since ${one.comment.tag('since') ?? '0.1.0'}</small>`,
      ''
    ]
  }
  const passedOn = (module) => {
    const passed = module.passed.filter(({ from, as }) => as !== undefined || modules.has(from))
    return passed.length === 0
      ? []
      : [
          '## modules and names of other modules {#in-others}',
          '',
          ...passed.map(({ from, as, names, comment }) => {
            const there = modules.get(from)
            const shown =
              there === undefined ? `\`${specifier(from)}\`` : `[${specifier(from)}](${link(module.path, from)})`
            if (as !== undefined)
              return `- \`${as}\`, ${shown}: ${prose(comment?.prose || firstSentence(there?.about.prose ?? ''))}`
            if (names === undefined) return `- all of ${shown}`
            const each = names.map(([outer, inner]) => {
              const found = find(from, inner)
              return found === undefined
                ? `\`${outer}\``
                : `[\`${outer}\`](${link(module.path, found.path, found.name)})`
            })
            return `- from ${shown}: ${each.join(', ')}`
          }),
          ''
        ]
  }
  const page = (module) => {
    const name = specifier(module.path)
    const exports = exportsOf(module)
    // a type and a value may have one name, and so do overloads
    const id = (one) => {
      const nth = exports.filter(({ name }) => name === one.name).indexOf(one)
      return nth === 0 ? one.name : `${one.name}-${nth}`
    }
    const categories = [...new Set(exports.map(({ category }) => category))]
    return [
      '---',
      'outline: [2, 3]',
      'prev: false',
      'next: false',
      '---',
      '',
      `# ${name === '' ? 'halforder' : name}`,
      '',
      '```ts',
      importLine(module.path),
      '```',
      '',
      prose(module.about.prose),
      ...module.about.tags('example').flatMap(example),
      '',
      ...passedOn(module),
      ...categories.flatMap((category) => [
        `## ${category} {#in-${category.replaceAll(' ', '-')}}`,
        '',
        ...exports.filter((one) => one.category === category).flatMap((one) => entry(module, one, id(one)))
      ])
    ].join('\n')
  }
  const list = [...modules.values()]
  const rooms = [...new Set(list.map(({ path }) => roomOf(path)))]
  const index = [
    '---',
    'outline: 2',
    '---',
    '',
    '# API',
    '',
    `Every public name of the library, ${list.reduce((n, module) => n + exportsOf(module).length, 0)} in ${list.length} modules, from the doc comments of its source. The`,
    '[architecture](/architecture) says how the rooms stand on each other.',
    '',
    ...rooms.flatMap((room) => {
      const own = list.filter(({ path }) => roomOf(path) === room)
      const door = own.find(({ path }) => path.endsWith('/index.ts'))
      return [
        `## ${room}`,
        '',
        prose(door?.about.prose ?? ''),
        '',
        ...own
          .filter((one) => one !== door)
          .map(({ path, about }) => `- [${specifier(path)}](./${pageOf(path)}): ${prose(firstSentence(about.prose))}`),
        ...(door === undefined ? [] : ['', `[The room as a whole](./${pageOf(door.path)})`]),
        ''
      ]
    })
  ].join('\n')
  return new Map([['README.md', index], ...list.map((module) => [pageOf(module.path), page(module)])])
}

/** Every exported name of the public modules, where it is declared, and what is said of it. */
export const entries = () =>
  publicModules().flatMap((path) =>
    readModule(path).exports.map(({ name, comment, category, line, signature: said }) => ({
      path,
      name,
      category,
      line,
      signature: said,
      prose: comment.prose,
      since: comment.tag('since')
    }))
  )

/** The room of a module. */
export const roomOf = (path) => (path === 'src/index.ts' ? 'halforder' : /^(?:src\/)?([^/]+)\//.exec(path)[1])

const importLine = (path) => {
  const name = specifier(path)
  const alias = (name.split('/').at(-1) || 'halforder').replace(/^./, (c) =>
    path.endsWith('index.ts') ? c : c.toUpperCase()
  )
  return `import * as ${alias} from 'halforder${name === '' ? '' : `/${name}`}'`
}

/** Writes the pages. */
export const api = () => {
  rmSync(out, { recursive: true, force: true })
  const all = pages()
  for (const [name, text] of all) {
    mkdirSync(dirname(out + name), { recursive: true })
    writeFileSync(out + name, text)
  }
  return all.size
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(`${entries().length} exported names on ${api()} API pages`)
