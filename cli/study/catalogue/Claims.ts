/**
 * The claims that are put to the test, in the order of the paper's tables and figures.
 *
 * @since 0.1.0
 */
import type { Claim } from '../Claims.js'
import { ofMethods } from './claims/OfMethods.js'
import { ofParts } from './claims/OfParts.js'

/**
 * All claims.
 *
 * @category table
 * @since 0.1.0
 */
export const claims: ReadonlyArray<Claim> = [...ofMethods, ...ofParts]
