// @ts-check
/**
 * Requests to the hub. Every one has a time limit and can be aborted; an answer that is not 2xx becomes a `Problem` with the hub's
 * own words. Addresses are relative to the page's base, so that the page works below a proxy's path.
 */

import { base } from '../base.js';
import { parse } from './lossless.js';
import { admitted, authorization, refused } from './access.js';
import { heard } from './pulse.js';

const TIMEOUT_MS = 10000;

export class Problem extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code the hub's `error`, or `no_connection`, `no_answer`
   * @param {string} detail a sentence
   * @param {{hint?: string, errors?: {field: string, error: string, detail?: string}[]}} [more]
   */
  constructor(status, code, detail, { hint = '', errors = [] } = {}) {
    super(hint ? `${detail} (${hint})` : detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.hint = hint;
    this.errors = errors;
  }
}

/**
 * Why a request failed, in a sentence for the person who made it.
 * @param {unknown} error
 */
export function reasonOf(error) {
  return error instanceof Problem ? error.message : String(error);
}

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal]
 * @property {number} [timeoutMs]
 * @property {Record<string, string>} [headers]
 */

/**
 * @param {string} path from the hub's root: `/api/…`
 * @param {Options} [options]
 * @returns {Promise<any>} the decoded JSON
 * @throws {Problem} and an `AbortError` when `signal` says so
 */
export function get(path, options) {
  return request('GET', path, undefined, options);
}

/**
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {Options} [options]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export function post(path, body, options) {
  return request('POST', path, body ?? {}, options);
}

/**
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export function remove(path, options) {
  return request('DELETE', path, undefined, options);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {Options} [options]
 */
async function request(method, path, body, { signal, timeoutMs = TIMEOUT_MS, headers = {} } = {}) {
  const limit = AbortSignal.timeout(timeoutMs);
  const askedAt = performance.now();
  const all = { ...authorization(), ...headers };
  let answer;
  try {
    answer = await fetch(base + path.replace(/^\//, ''), {
      method,
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      headers: body === undefined ? all : { 'Content-Type': 'application/json', ...all },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    heard(performance.now() - askedAt);
    if (answer.status === 401) refused();
    else if (answer.ok) admitted();
    if (answer.ok) return text === '' ? null : parse(text);
    throw problemOf(answer.status, text);
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    if (limit.aborted) throw new Problem(0, 'no_answer', `The hub did not answer within ${Math.round(timeoutMs / 1000)} s.`);
    if (answer?.ok) throw new Problem(answer.status, 'bad_answer', 'The hub answered something that is not JSON.');
    throw new Problem(0, 'no_connection', 'There is no connection to the hub.');
  }
}

/**
 * @param {number} status
 * @param {string} text
 */
function problemOf(status, text) {
  try {
    const { error, detail, hint, errors } = JSON.parse(text);
    return new Problem(status, String(error ?? 'refused'), String(detail ?? error ?? `The hub answered ${status}.`), { hint, errors });
  } catch {
    return new Problem(status, 'refused', `The hub answered ${status}.`);
  }
}
