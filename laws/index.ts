/**
 * Laws as a product: put a chain, a step, a reward or an estimator of your own to what this library holds itself to.
 *
 * Predicates (`Lens`, `Chain`, `Estimator`, ...) are pure and know no test framework: they give a `Verdict`, evidence
 * or a violation with the numbers, where they were read, and what the tolerance is made of. `Run` lifts them to
 * fast-check properties, which is why this entry needs `fast-check` to be installed.
 *
 * @example
 * import { Run } from 'halforder/laws'
 * import { silu } from 'halforder/lens'
 *
 * await Run.lens({ name: 'silu', lens: silu(), argument: ['batch', 3], sizes: { batch: 2 } })
 *
 * @since 0.1.0
 */
/** What the gradients of another program pay of each step's term. @since 0.1.0 */
export * as Audit from './audit/Audit.js'
export * as AuditModel from './audit/Model.js'
/** Chains whose steps are affine, and the normals they carry along. @since 0.1.0 */
export * as AffineChain from './exact/AffineChain.js'
/** Laws of chains. @since 0.1.0 */
export * as Chain from './law/Chain.js'
/** Laws of covers. @since 0.1.0 */
export * as Cover from './law/Cover.js'
/** Derivatives from values alone. @since 0.1.0 */
export * as Differences from './exact/Differences.js'
/** Laws of gradient estimators. @since 0.1.0 */
export * as Estimator from './law/Estimator.js'
/** The exact expectation of a compiled estimator, and what it should be. @since 0.1.0 */
export * as Expectation from './exact/Expectation.js'
/** Laws of chains with normal marginals. @since 0.1.0 */
export * as GaussianMarginals from './law/GaussianMarginals.js'
/** The formulas of cells, for each noise. @since 0.1.0 */
export * as Formula from './exact/Formula.js'
/** Laws of lenses. @since 0.1.0 */
export * as Lens from './law/Lens.js'
/** Tests by sampling, with declared error rates. @since 0.1.0 */
export * as MeanTest from './exact/MeanTest.js'
export * as MonteCarlo from './law/MonteCarlo.js'
/** Laws of noise. @since 0.1.0 */
export * as Noise from './law/Noise.js'
/** Quadrature rules of noise. @since 0.1.0 */
export * as NoiseRule from './exact/NoiseRule.js'
/** Expected rewards of long scalar chains, on a grid. @since 0.1.0 */
export * as Propagation from './exact/Propagation.js'
/** Gauss-Hermite quadrature. @since 0.1.0 */
export * as Quadrature from './exact/Quadrature.js'
/** Laws of rewards. @since 0.1.0 */
export * as Reward from './law/Reward.js'
/** Rounding in f64. @since 0.1.0 */
export * as Rounding from './exact/Rounding.js'
/** Laws of noise schedules and samplers. @since 0.1.0 */
export * as Schedule from './law/Schedule.js'
/** A chain with a reward at some parameters, and what it is run on. @since 0.1.0 */
export * as Setting from './Setting.js'
/** Forward-only rollouts with a copy of the parameters for each step. @since 0.1.0 */
export * as Simulate from './exact/Simulate.js'
/** Quantiles of Student's t. @since 0.1.0 */
export * as Student from './exact/Student.js'
/** What another program sampled, scored and summed up, as arrays. @since 0.1.0 */
export * as Trace from './audit/Trace.js'
/** Expectations over chains of tokens by enumeration. @since 0.1.0 */
export * as Enumeration from './exact/Enumeration.js'
/** Laws of chains of tokens, and of estimators on them. @since 0.1.0 */
export * as Tokens from './law/Tokens.js'
/** Laws of programs and targets. @since 0.1.0 */
export * as Tensor from './law/Tensor.js'
/** Every estimator on every toy chain, with verdicts. @since 0.1.0 */
export * as Verify from './verify/Verify.js'
/** What an estimator claims on a model. @since 0.1.0 */
export * as VerifyClaim from './verify/Claim.js'
/** The estimators that are verified. @since 0.1.0 */
export * as VerifyCatalogue from './verify/Catalogue.js'
/** Estimators read from files. @since 0.1.0 */
export * as VerifyDescription from './verify/EstimatorFile.js'
/** Strict decoding of JSON documents, with paths. @since 0.1.0 */
export * as VerifyDocument from '../src/document/Document.js'
/** Models that are verified, built in or read from files. @since 0.1.0 */
export * as VerifyModel from './verify/Model.js'
/** Verdicts as rows and as a table. @since 0.1.0 */
export * as VerifyReport from './verify/Report.js'
/** The exact term of each step of a scalar chain. @since 0.1.0 */
export * as VerifyTerms from './exact/Terms.js'
/** What a law answers. @since 0.1.0 */
export * as Verdict from './Verdict.js'
/** What published methods pay of which step, as released. @since 0.1.0 */
export * as Published from './published/Methods.js'
/** Runners over fast-check. @since 0.1.0 */
export * as Run from './run/Run.js'
/** Random toy settings. @since 0.1.0 */
export * as ArbitraryToys from './arbitrary/Toys.js'
/** Random covers and estimators. @since 0.1.0 */
export * as ArbitraryCovers from './arbitrary/Covers.js'
/** How many nodes make expectations on a polynomial chain exact. @since 0.1.0 */
export * as Degree from './toy/Degree.js'
/** Toy chains read from files. @since 0.1.0 */
export * as Description from './toy/Description.js'
/** The exact denoiser of Gaussian data. @since 0.1.0 */
export * as GaussianData from './toy/GaussianData.js'
/** A diffusion chain on a mixture of normals. @since 0.1.0 */
export * as GaussianMixture from './toy/GaussianMixture.js'
/** Linear chains with closed forms. @since 0.1.0 */
export * as LinearGaussian from './toy/LinearGaussian.js'
/** Chains of a few tokens, twice. @since 0.1.0 */
export * as TokenToys from './toy/Tokens.js'
/** Scalar polynomial chains and rewards. @since 0.1.0 */
export * as Polynomial from './toy/Polynomial.js'
/** A scalar chain with a nonlinear drift. @since 0.1.0 */
export * as Tanh from './toy/Tanh.js'
/** Wrong implementations, and which law refutes each. @since 0.1.0 */
export * as Mutants from './mutants/Table.js'
