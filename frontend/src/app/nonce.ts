declare global {
  interface Window {
    /** Where the lock of the page's scrolling (react-remove-scroll) looks for it. */
    __webpack_nonce__?: string;
  }
}

/**
 * What the style elements of libraries must show, or the page's content security policy takes none of them. The server
 * makes one for each answer; where none is sent (tests, Vite's own server), it is empty and there is no policy either.
 */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

window.__webpack_nonce__ = nonce;
