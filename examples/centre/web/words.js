// The desk's words: English as they stand in the page and in its scripts, French by this table.

import { words } from '/player/index.js';

/** @type {Record<string, string>} */
export const FRENCH = {
  // The page.
  'To the cameras': 'Vers les caméras',
  Commune: 'Commune',
  Cameras: 'Caméras',
  'Click a camera to choose it, double-click to enlarge it.': 'Un clic choisit une caméra, un double-clic l’agrandit.',
  'No camera chosen': 'Aucune caméra choisie',
  'What the chosen camera sends, and how well.': 'Ce qu’envoie la caméra choisie, et comment.',
  Snapshot: 'Image',
  'The camera cannot be moved.': 'La caméra ne peut pas être déplacée.',
  '● LIVE': '● DIRECT',
  'Click the timeline to play that moment; the wheel zooms.': 'Un clic sur la frise lit ce moment ; la molette change l’échelle.',
  'A part of the picture, larger (+)': 'Une partie de l’image, en plus grand (+)',
  'More of the picture (−)': 'Davantage de l’image (−)',
  'Zoom in': 'Agrandir dans l’image',
  'Zoom out': 'Réduire',
  'Into a window of its own (W)': 'Dans sa propre fenêtre (W)',
  Window: 'Fenêtre',
  'Click a tile, then the one whose place it shall take; or drag it': 'Cliquez une case, puis celle dont elle prendra la place ; ou glissez-la',
  Arrange: 'Arranger',
  'Full screen': 'Plein écran',
  'The cameras on the whole screen (F)': 'Les caméras sur tout l’écran (F)',
  'Local time or UTC': 'Heure locale ou UTC',
  'Light or dark': 'Clair ou sombre',
  'In French or English': 'En français ou en anglais',
  'The keys': 'Les touches',
  Playback: 'Lecture',
  'Back to the present (L)': 'Retour au direct (L)',
  '10 seconds back (J)': '10 secondes en arrière (J)',
  '−10 s: 10 seconds back': '−10 s : 10 secondes en arrière',
  'One picture back ( , )': 'Une image en arrière ( , )',
  'One picture back': 'Une image en arrière',
  'Pause and go on (Space)': 'Pause et reprise (Espace)',
  'One picture on ( . )': 'Une image en avant ( . )',
  'One picture on': 'Une image en avant',
  'Replay 30 s': 'Revoir 30 s',
  'The last 30 seconds again (R)': 'Les 30 dernières secondes (R)',
  Together: 'Ensemble',
  'All cameras at the same moment (M)': 'Toutes les caméras au même moment (M)',
  'Faster (J and L on the timeline: to and fro)': 'Plus vite (J et L sur la frise : dans les deux sens)',
  'Span of the timeline': 'Étendue de la frise',
  'The desk needs JavaScript: the player runs in this page.': 'Le poste a besoin de JavaScript : le lecteur tourne dans cette page.',
  // The dialog of the keys.
  Keys: 'Touches',
  Shift: 'Maj',
  Space: 'Espace',
  Enter: 'Entrée',
  Esc: 'Échap',
  Home: 'Début',
  End: 'Fin',
  camera: 'caméra',
  'from tile to tile': 'de case en case',
  'change places': 'échanger les places',
  'enlarge, and back': 'agrandir, et retour',
  'full screen': 'plein écran',
  'in a window of its own': 'dans sa propre fenêtre',
  'zoom in the picture; the arrows move it': 'agrandir dans l’image ; les flèches la déplacent',
  back: 'retour',
  live: 'direct',
  'pause, and go on': 'pause, et reprise',
  'one picture back, one on': 'une image en arrière, en avant',
  snapshot: 'garder l’image',
  'to the timeline': 'vers la frise',
  'these keys': 'ces touches',
  'On the timeline': 'Sur la frise',
  '1 s; with': '1 s ; avec',
  '10 s, with': '10 s, avec',
  '1 min': '1 min',
  'from camera to camera': 'de caméra en caméra',
  'start of the recording, live': 'début de l’enregistrement, direct',
  zoom: 'échelle',
  'all cameras at the same moment': 'toutes les caméras au même moment',
  'the last 30 s again': 'les 30 dernières secondes',
  'backwards, pause, forwards; again: faster': 'arrière, pause, avant ; encore : plus vite',
  'next gap; with': 'lacune suivante ; avec',
  'the one before': 'la précédente',
  Close: 'Fermer',
  // The scripts.
  Light: 'Clair',
  Dark: 'Sombre',
  'Local time': 'Heure locale',
  Enlarge: 'Agrandir',
  'Show all': 'Tout montrer',
  Pause: 'Pause',
  'Go on': 'Reprendre',
  '{0}: speed': '{0} : vitesse',
  'There is no picture to keep.': 'Il n’y a pas d’image à garder.',
  'Saved {0}': 'Enregistré : {0}',
  '{0} of {1} recording': '{0} sur {1} enregistrent',
  '1 gap in view': '1 lacune en vue',
  '{0} gaps in view': '{0} lacunes en vue',
  'no gaps in view': 'aucune lacune en vue',
  'what is held cannot be read': 'scellés illisibles',
  '◌ recording not known': '◌ enregistrement inconnu',
  'All communes': 'Toutes les communes',
  'This desk needs its key': 'Ce poste attend sa clé',
  'Open the address that vigie-centre printed when it started: the key stands in it after #token=.':
    'Ouvrez l’adresse que vigie-centre a affichée à son démarrage : la clé y suit #token=.',
  'It was not in the address you opened, and this tab has none from before.': 'L’adresse ouverte n’en avait pas, et cet onglet n’en garde aucune.',
  'No cameras yet': 'Pas encore de caméra',
  'Add one to the centre’s TOML file and start the centre again:': 'Ajoutez-en une au fichier TOML du centre et relancez-le :',
  'under a [[tenant]], a [[tenant.camera]] with id, name and url.': 'sous un [[tenant]], une [[tenant.camera]] avec id, name et url.',
  'This address has expired': 'Cette adresse a expiré',
  'The centre was started anew, and every start has a key of its own.': 'Le centre a redémarré, et chaque démarrage a sa propre clé.',
  'Open the address that it printed last.': 'Ouvrez l’adresse qu’il a affichée en dernier.',
  'The centre answers with an error (HTTP {0}).': 'Le centre répond par une erreur (HTTP {0}).',
  'The centre does not answer; the desk asks again by itself.': 'Le centre ne répond pas ; le poste redemande de lui-même.',
  'The centre does not answer': 'Le centre ne répond pas',
  'Is vigie-centre running, and is this its address?': 'vigie-centre tourne-t-il, et est-ce bien son adresse ?',
  'The desk asks again by itself.': 'Le poste redemande de lui-même.',
  // What the centre says of a camera.
  recording: 'enregistre',
  connecting: 'se connecte',
  'not recorded': 'non enregistré',
  'sends nothing': 'n’envoie rien',
  'no signal': 'pas de signal',
  'in another window': 'dans une autre fenêtre',
  'wrong password': 'mot de passe refusé',
  // The panel.
  Picture: 'Image',
  Codec: 'Codec',
  Profile: 'Profil',
  Rate: 'Débit',
  GOP: 'GOP',
  Delay: 'Retard',
  Clock: 'Horloge',
  'Packets lost': 'Paquets perdus',
  Why: 'Pourquoi',
  '{0} since': '{0} depuis',
  recorded: 'enregistré',
  '1 quirk of this camera': '1 particularité de cette caméra',
  '{0} quirks of this camera': '{0} particularités de cette caméra',
};

/** What was chosen last, else the browser's own. */
export const lang = (localStorage.getItem('vigie-lang') ?? navigator.language).startsWith('fr') ? 'fr' : 'en';
/** The player's words. */
export const player = await words(lang);

/** In the desk's language. @param {string} text  In English; `{0}`, `{1}` … take the words that follow. @param {(string | number)[]} given */
export function say(text, ...given) {
  const found = (lang === 'fr' && FRENCH[text]) || text;
  return found.replace(/\{(\d)\}/g, (_, n) => String(given[n] ?? ''));
}

/** Puts the page itself into it, once. */
export function translate() {
  document.documentElement.lang = lang;
  if (lang === 'en') return;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = (node.nodeValue ?? '').trim();
    if (text in FRENCH) node.nodeValue = (node.nodeValue ?? '').replace(text, say(text));
  }
  for (const name of ['title', 'aria-label']) {
    for (const element of document.querySelectorAll(`[${name}]`)) element.setAttribute(name, say(element.getAttribute(name) ?? ''));
  }
}
