/**
 * Writing to the clipboard. Browsers have their API for it only on https and on
 * this machine, and a log server often stands in a network on plain http: there
 * a text field that nobody sees is selected and copied, as it was done before.
 */

/** Copies a text. False: the browser refused. To be called right from a click or a key. */
export async function copyText(text: string): Promise<boolean> {
  const clipboard: Clipboard | undefined = globalThis.navigator?.clipboard;
  if (clipboard !== undefined) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Forbidden by a policy, or the page has lost the focus: the old way may do.
    }
  }
  return copySelected(text);
}

function copySelected(text: string): boolean {
  const { activeElement } = document;
  const selection = document.getSelection();
  const ranges = Array.from({ length: selection?.rangeCount ?? 0 }, (_, i) => selection?.getRangeAt(i));
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  field.setAttribute("aria-hidden", "true");
  // Beside a modal dialog everything is inert.
  (activeElement?.closest("dialog") ?? document.body).append(field);
  try {
    field.select();
    // Deprecated, and the only way there is without a secure context.
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    selection?.removeAllRanges();
    for (const range of ranges) if (range !== undefined) selection?.addRange(range);
    if (activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
  }
}
