/** Telling the user that something could not be done. */
import { Notification } from '@jupyterlab/apputils';

import { messageOf } from '../projects/problem';

/** The message stays for this long, in ms. */
const SHOWN = 8000;

/** Wait for a request; if it is refused, say why. Returns whether it was carried out. */
export async function attempt(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    Notification.error(messageOf(error), { autoClose: SHOWN });
    return false;
  }
}
