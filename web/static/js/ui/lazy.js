// @ts-check
/** A component that is loaded when it is first shown, so that the first view does not wait for what it does not show. */

import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from './empty.js';
import { html } from './html.js';

/**
 * @param {() => Promise<(props: any) => any>} load
 * @returns {(props: any) => any}
 */
export function lazy(load) {
  /** @type {((props: any) => any) | null} */
  let loaded = null;
  return function Lazy(props) {
    const [failure, setFailure] = useState(/** @type {unknown} */ (null));
    const [, setDone] = useState(loaded !== null);
    useEffect(() => {
      if (loaded !== null) return;
      load().then((component) => {
        loaded = component;
        setDone(true);
      }, setFailure);
    }, []);
    if (failure !== null) throw failure;
    return loaded === null ? html`<${Skeleton} rows=${8} />` : html`<${loaded} ...${props} />`;
  };
}
