/**
 * The command line.
 *
 * @since 0.1.0
 */
import { Command, Option } from 'commander'
import { modes } from 'halforder/kernel'
import { names as chainNames } from 'halforder/training/Chains'
import { audit, type AuditOptions } from './command/Audit.js'
import { check, type CheckOptions } from './command/Check.js'
import { chooseEstimator, type ChooseOptions } from './command/Choose.js'
import { status, type StatusOptions } from './command/cluster/Status.js'
import { worker, type WorkerOptions } from './command/cluster/Worker.js'
import { compareEstimators } from './command/Compare.js'
import { configOptions } from './command/ConfigOptions.js'
import type { CompareOptions } from './command/Contending.js'
import { listEstimators } from './command/Estimators.js'
import { drawExamples, type ExamplesOptions } from './command/Examples.js'
import { fetchData, type FetchOptions } from './command/Fetch.js'
import { exportModel, type ExportOptions } from './command/file/Export.js'
import { finetune, type Options } from './command/Finetune.js'
import { inspect, type InspectOptions } from './command/Inspect.js'
import { ledger, type LedgerOptions } from './command/Ledger.js'
import { plan, type PlanOptions } from './command/Plan.js'
import { pretrain, pretrainOptions, type PretrainOptions } from './command/Pretrain.js'
import { report, type ReportOptions } from './command/report/Report.js'
import { sample, type SampleOptions } from './command/Sample.js'
import { study, type StudyOptions } from './command/study/Study.js'
import { verify, type VerifyOptions } from './command/Verify.js'
import { usualPort, view, type ViewOptions } from './command/view/View.js'
import { auto, autoMode } from './edge/AutoMode.js'
import { endUnheard, quietly } from './edge/Streams.js'
import { version } from './edge/Version.js'

/** What these print is all that they do. */
const printing = ['audit', 'check', 'compare', 'inspect', 'ledger', 'plan', 'report', 'verify']

quietly(() => {
  if (printing.includes(process.argv[2] ?? '')) endUnheard()
})

const program = new Command('halforder')
  .description('Fine-tune diffusion models with the Recursive Likelihood Ratio optimizer.')
  .version(version())
  .showHelpAfterError('(halforder --help lists the commands and options)')
  // wrong usage ends with 2, as a wrong configuration does
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

// a mode that is to be found is found before anything reads the options, and is what a run's configuration says
program.hook('preAction', async (_program, command) => {
  if (command.getOptionValue('mode') !== auto) return
  command.setOptionValue('mode', await autoMode((line) => process.stderr.write(`halforder: ${line}\n`))())
})

const finetuning = program
  .command('finetune')
  .description('raise a reward of a model, and show it: writes a run folder')
configOptions.forEach(([flags, description]) => finetuning.option(flags, description))
finetuning
  .option('--out <folder>', 'where to write, a new or empty folder (default: one below runs/)')
  .option('--resume <folder>', 'go on with the run in a folder; --steps may be raised, and nothing else changed')
  .option('--save-every <seconds>', 'how often a checkpoint is written; 0 is after each step (default: 15)')
  .option('--measure-at <steps>', 'measure held-out samples after these steps too, such as 5,10: standings.jsonl')
  .option('--json', 'print the summary as one line of JSON')
  .option('--redis <url>', 'have rows computed by the workers at this Redis, with the bits of one machine')
  .option('--tolerate-bits', 'with --redis: also by workers whose bits differ; the run is then not to be repeated')
  .option('--patience <seconds>', 'with --redis: how long no worker may answer (default: 600)')
  .action(async (options: Options) => {
    process.exitCode = await finetune(options, new Date())
  })

const planning = program
  .command('plan')
  .description('the kernels that a fine-tune would run, and what they cost: compiles, runs nothing')
configOptions.forEach(([flags, description]) => planning.option(flags, description))
planning.option('--json', 'print one object a program, each on a line').action(async (options: PlanOptions) => {
  process.exitCode = await plan(options)
})

const choosing = program
  .command('choose')
  .description(
    'which estimator a fine-tune should take, by variance and time: a pilot of at most a twentieth of the run'
  )
configOptions.forEach(([flags, description]) => choosing.option(flags, description))
choosing
  .option('--samples <number>', 'measure so many samples of those that may be the best, whatever it takes')
  .option('--json', 'print one object a candidate, each on a line')
  .action(async (options: ChooseOptions) => {
    process.exitCode = await chooseEstimator(options)
  })

const ledgers = program
  .command('ledger')
  .argument('[preset]', 'a published method, as --preset has it')
  .description("what a fine-tune's estimator pays of each step's term, by which cells, and what of: runs nothing")
configOptions.forEach(([flags, description]) => ledgers.option(flags, description))
ledgers
  .option('--json', 'print it as one line of JSON')
  .action(async (preset: string | undefined, options: LedgerOptions) => {
    process.exitCode = await ledger(preset === undefined ? options : { ...options, preset })
  })

const onTask = [
  '--task <name>',
  'faces, clips, garments, points, tokens, or a module such as ./rings.mjs (default: faces, or what the file of --model says)'
] as const

const pretraining = program
  .command('pretrain')
  .argument('[name]', 'what to train, by its name in the task (default: the first)')
  .description('train what a task can train from data; a folder with a checkpoint is resumed')
pretrainOptions.forEach(([flags, description]) => pretraining.option(flags, description))
pretraining
  .addOption(new Option('--faces <number>', 'another name of --examples').hideHelp())
  .action(async (name: string | undefined, options: PretrainOptions) => {
    process.exitCode = await pretrain(name, options)
  })

program
  .command('examples')
  .alias('faces')
  .description("draw labelled examples of a task's data: a picture, tensors, and what each is in words")
  .option('--task <name>', 'faces, clips, garments, points, or a module such as ./rings.mjs', 'faces')
  .option('--count <number>', 'how many', '64')
  .option('--seed <number>', 'the seed of every draw', '1')
  .option('--out <folder>', 'where to write', 'examples')
  .action(async (options: ExamplesOptions) => {
    process.exitCode = await drawExamples(options)
  })

program
  .command('fetch')
  .description('bring data that a task is trained on and that do not ship, into data/ of the working folder')
  .requiredOption('--task <name>', 'garments, or a module such as ./rings.mjs')
  .action(async (options: FetchOptions) => {
    process.exitCode = await fetchData(options)
  })

program
  .command('sample')
  .description(
    'draw what a model makes of a prompt: a picture (.png), or moving (.gif: clips, or a chain at work), or words (.txt)'
  )
  .option(...onTask)
  .option('--model <name>', 'one of the task, a file (also *.onnx), a folder of diffusers, or that of a fine-tune')
  .option('--prompt <text>', 'such as "a happy face with round glasses and blue hair"; empty for any', '')
  .option('--coarse <text>', 'the prompt of the first third of the steps, next to the noise (default: --prompt)')
  .option('--mid <text>', 'the prompt of the second third')
  .option('--fine <text>', 'the prompt of the last third, next to the output')
  .option('--count <number>', 'how many', '16')
  .option('--seed <number>', 'the seed of every draw', '1')
  .option(
    '--out <file>',
    'where to write, *.png or *.gif, or *.txt for words (default: "samples.png" or "samples.txt")'
  )
  .option(
    '--chain <name>',
    `${chainNames.join(', ')} (default: "ddim", "masked" for words, or "own" for a model that comes with one)`
  )
  .option('--steps <number>', 'steps of the chain (default: 50, or as the task for words)')
  .option('--eta <number>', 'how much noise the chain adds, in 0..1', '1')
  .option('--guidance <number>', 'scale of classifier-free guidance; 1 is none', '1')
  .option('--columns <number>', 'samples in a line', '8')
  .option('--mode <name>', `mode of gpu.js: ${modes.join(', ')}, or ${auto}, the fastest that a probe finds`, 'webasm')
  .option('--threads <number>', 'threads of the mode webasm (default: rows are not split)')
  .action(async (options: SampleOptions) => {
    process.exitCode = await sample(options)
  })

program
  .command('compare')
  .description("measure the variance and the cost of the catalogue's estimators on a task")
  .option(...onTask)
  .option('--model <name>', 'one of the task, a file (also *.onnx), a folder of diffusers, or that of a fine-tune')
  .option('--chain <name>', chainNames.join(', '))
  .option('--T <number>', 'steps of the chain')
  .option('--reward <name>', 'as for finetune (default: that of the task)')
  .option('--samples <number>', 'samples of each estimator', '1024')
  .option('--batch <number>', 'samples of one step, among which leave-one-out takes its mean (default: 32)')
  .option('--only <text>', 'estimators whose name has this text, or one of several: "reinforce|rlr"')
  .option('--estimator <name>', 'this one instead: a name, with options such as "rlr(h = 3)", or a JSON file')
  .option('--trained <paths>', 'what to differentiate in, comma-separated (default: as the task)')
  .option('--lora <rank>', 'differentiate in low-rank adapters of all weights instead')
  .option('--seed <number>', 'the seed of every draw', '1')
  .option('--threads <number>', 'threads that share the rows of a batch; the bits are those of one thread', '1')
  .option('--by-step', 'tell the variance of each step by itself, in place of each cell (with --json: `parts`)')
  .option('--json', 'print one object a line')
  .option('--redis <url>', 'have the estimators measured by the workers at this Redis, with the same numbers')
  .option('--tolerate-bits', 'with --redis: also by workers whose bits differ')
  .option('--patience <seconds>', 'with --redis: how long no worker may answer (default: 600)')
  .action(async (options: CompareOptions) => {
    process.exitCode = await compareEstimators(options)
  })

program
  .command('estimators')
  .description('list the estimators that have a name: what pays for which steps, what it is unbiased for, its options')
  .action(() => {
    process.exitCode = listEstimators()
  })

program
  .command('verify')
  .description('test what the estimators claim on models with exact gradients; exit 1 if a claim is refuted')
  .option('--task <name>', 'the toy models of a task (default: those of the library)')
  .option('--model <file>', 'a model of your own, as JSON')
  .option('--estimator <name>', 'a name, with options such as "rlr(h = 3)", or a JSON file (default: every name)')
  .option('--samples <number>', 'samples of each estimator, at least; more where these do not decide', '200000')
  .option('--seed <number>', 'the seed of every draw', '1')
  .option('--threads <number>', 'threads that share the rows of a batch; the bits are those of one thread', '1')
  .option('--json', 'print one object a line')
  .option('--redis <url>', 'have the claims tested by the workers at this Redis, with the same rows')
  .option('--tolerate-bits', 'with --redis: also by workers whose bits differ')
  .option('--patience <seconds>', 'with --redis: how long no worker may answer (default: 600)')
  .action(async (options: VerifyOptions) => {
    process.exitCode = await verify(options)
  })

program
  .command('study')
  .argument('[name]', 'which: see --list')
  .description(
    'answer a question by many runs, over seeds, at equal cost: a table, a plot, a page; the same command goes on'
  )
  .option('--list', 'the studies, their tasks and what they ask')
  .option('--claims <folder>', 'print the claims that are tested, with verdicts from the lines of studies in a folder')
  .option('--task <name>', 'on which task (default: the first of the study)')
  .option('--seeds <number>', 'seeds of each condition (default: 5; 2 with --quick)')
  .option(
    '--budget <number>',
    'what each run may spend, in network evaluations and pullbacks, or steps where the study says so'
  )
  .option('--quick', 'short chains and little of everything: what the study does, not what it finds')
  .option('--jobs <number>', 'runs at once (default: one for each core)')
  .option('--out <folder>', 'where to write (default: one below studies/)')
  .option('--redis <url>', 'have the runs made by the workers at this Redis, with the same bytes')
  .option('--tolerate-bits', 'with --redis: also by workers whose bits differ')
  .option('--patience <seconds>', 'with --redis: how long no worker may answer (default: 600)')
  .action(async (name: string | undefined, options: StudyOptions) => {
    process.exitCode = await study(name, options)
  })

const listOf = (value: string, before: ReadonlyArray<string> = []): ReadonlyArray<string> => [...before, value]

program
  .command('worker')
  .description("compute the rows and cells of others' runs, until Ctrl-C: see docs/more-machines.md")
  .requiredOption('--redis <url>', 'redis://127.0.0.1:6379, or rediss://:PASSWORD@host:6379')
  .option('--task <file>', 'a module that it may run, beside the tasks that ship; may be repeated', listOf)
  .option('--reward <file>', 'a module of a reward that it may run; may be repeated', listOf)
  .option('--threads <number>', 'processes that work side by side (default: 1)')
  .option('--cache <folder>', 'where models are kept that leaders bring (default: a folder for temporary files)')
  .option('--tolerate-bits', 'work also for machines whose bits differ')
  .action(async (options: WorkerOptions) => {
    process.exitCode = await worker(options)
  })

program
  .command('status')
  .description('who works at a Redis, at what, and how fast')
  .requiredOption('--redis <url>', 'as for worker')
  .option('--json', 'print one line of JSON')
  .action(async (options: StatusOptions) => {
    process.exitCode = await status(options)
  })

program
  .command('report')
  .argument('<folders...>', 'of runs and studies, done or under way; or lines of studies, *.jsonl')
  .description('one page of HTML that shows runs and studies: curves, before and after, tables, configuration, ledger')
  .option('--out <file>', 'where to write it', 'report.html')
  .option('--title <text>', 'what it is called (default: as the first of them)')
  .option('--json', 'print the report itself, as the page has it, and write nothing')
  .action(async (folders: ReadonlyArray<string>, options: ReportOptions) => {
    process.exitCode = await report(folders, options)
  })

program
  .command('audit')
  .argument('<file>', 'a trace *.npz, as docs/audit.md has it')
  .description('what the gradients of another program pay of each step, from a trace of its run; exit 1 if biased')
  .option('--model <file>', "the mean of the program's steps as ONNX: scores are then those of the model")
  .option('--json', 'print one object')
  .action(async (path: string, options: AuditOptions) => {
    process.exitCode = await audit(path, options)
  })

program
  .command('inspect')
  .argument('<file>', 'a model or weights of another tool: *.onnx, *.safetensors, *.pt, or a folder with config.json')
  .description('what is in a file: inputs, outputs, parameters, what is assumed of them and what is missing')
  .option('--weights-key <key>', 'which weights of a checkpoint, such as ema')
  .addOption(new Option('--part <part>', 'of an autoencoder').choices(['encoder', 'decoder']))
  .option('--json', 'print one line of JSON')
  .action(async (path: string, options: InspectOptions) => {
    process.exitCode = await inspect(path, options)
  })

program
  .command('check')
  .argument('<file>', 'a model: *.onnx, or a folder with config.json')
  .argument('<reference>', 'an npz with in.NAME, out (or out64), and for w the gradients grad.NAME of sum(out w)')
  .description('compare a model with what another tool computed, in f64 and on the mode; exit 1 if it is off')
  .option('--weights-key <key>', 'which weights of a checkpoint, such as ema')
  .addOption(new Option('--part <part>', 'of an autoencoder').choices(['encoder', 'decoder']))
  .option('--mode <name>', `mode of gpu.js: ${modes.join(', ')}, or ${auto}, the fastest that a probe finds`, 'webasm')
  .option('--json', 'print one object a line')
  .action(async (path: string, reference: string, options: CheckOptions) => {
    process.exitCode = await check(path, reference, options)
  })

program
  .command('export')
  .requiredOption('--model <folder>', 'of diffusers, with config.json and weights, or of a fine-tune of one')
  .option(
    '--out <file>',
    'where to write, *.onnx; beside it, *.json, goes the record of what its numbers mean',
    'model.onnx'
  )
  .description('write a model of diffusers as ONNX, which other engines run')
  .option('--weights-key <key>', 'which weights of a checkpoint, such as ema')
  .addOption(new Option('--part <part>', 'of an autoencoder').choices(['encoder', 'decoder']))
  .action(async (options: ExportOptions) => {
    process.exitCode = await exportModel(options)
  })

program
  .command('view')
  .argument('<folder>', 'of a run or a study, or of several, or a page that report wrote')
  .description('show a run or a study in the browser of this machine, also while it goes on; Ctrl-C ends it')
  .option('--port <number>', 'where to listen, on this machine alone; 0 takes one that is free', String(usualPort))
  .action(async (folder: string, options: ViewOptions) => {
    process.exitCode = await view(folder, options)
  })

await program.parseAsync()
