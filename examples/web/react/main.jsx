// Two cameras to choose from: the element stays, its attributes change.

import { StrictMode, useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { keepToken } from '../token.js';
import { Camera } from './Camera.jsx';

const CAMERAS = [
  { tenant: 'annoeullin', camera: 'mairie', label: 'Mairie' },
  { tenant: 'annoeullin', camera: 'place', label: 'Place' },
];

function App() {
  const [token, setToken] = useState('');
  const [chosen, setChosen] = useState(0);
  const [said, setSaid] = useState('');
  useEffect(() => keepToken(setToken, () => setToken('')), []);
  const heard = useCallback((state, cause) => setSaid(cause ? `${state}: ${cause.kind}` : state), []);
  return (
    <>
      <h1>Cameras in React</h1>
      <div className="choices">
        {CAMERAS.map(({ label }, at) => (
          <button key={label} type="button" aria-pressed={at === chosen} onClick={() => setChosen(at)}>
            {label}
          </button>
        ))}
      </div>
      {token ? <Camera {...CAMERAS[chosen]} token={token} onState={heard} /> : <p>Signing in…</p>}
      <p role="status">{said}</p>
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
