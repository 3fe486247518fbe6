/** How to log in at a registry. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, exchanged for access tokens. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'registry-token'; readonly token: string };
