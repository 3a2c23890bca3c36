// @ts-check
/** A task to try a new hub with. */

import { post, reasonOf } from '../net/api.js';
import { toast } from '../ui/toast.js';

export async function submitSample() {
  try {
    await post('/api/tasks', { description: 'Say hello', metadata: { sample: true } });
    toast('ok', 'A sample task is queued.');
  } catch (error) {
    toast('warning', reasonOf(error));
  }
}
