import { useEffect, useRef, useState } from 'preact/hooks';
import { keepToken } from './api.ts';

/** Asks for the token of the monitor. */
export function Login({ problem, onDone }: { readonly problem: string; readonly onDone: () => void }) {
  const [token, setToken] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="login"
      onSubmit={(event) => {
        event.preventDefault();
        keepToken(token.trim());
        onDone();
      }}
    >
      <h2>This monitor asks for a token</h2>
      <p class="quiet">
        It is in the file that the configuration names: token_file of [page]. This tab keeps it until you close it.
      </p>
      {problem !== '' && (
        <p role="alert" class="alert">
          {problem}
        </p>
      )}
      <label>
        Token
        <input
          ref={field}
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Show the page</button>
    </form>
  );
}
