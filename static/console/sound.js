// A short sound from the browser's own oscillator.

const NOTES = { ring: [660, 880, 660, 880], line: [880, 660] }; // Hz, one after the other
const NOTE_S = 0.14;
const LOUD = 0.2;
const GESTURES = ["pointerdown", "pointerup", "keydown"];

/**
 * `play("ring" | "line")` and `hush()`. A browser lets a page sound once somebody has touched it: until then what was played last
 * is due, and sounds once at the first touch unless it was hushed. Where there is no audio at all, nothing happens.
 */
export function createSound(page = globalThis) {
  let audio = null;
  let due = null;
  let tones = [];

  function start() {
    if (!due || audio.state !== "running") return;
    tones = NOTES[due].map((hertz, n) => note(audio, hertz, audio.currentTime + n * NOTE_S));
    due = null;
  }

  const wake = () => audio?.resume().then(start, () => {});
  for (const gesture of GESTURES) page.addEventListener?.(gesture, wake);

  return {
    play(kind) {
      if (!page.AudioContext) return;
      audio ??= new page.AudioContext();
      due = kind;
      start();
      if (due) wake();
    },
    hush() {
      due = null;
      for (const tone of tones) tone.stop();
      tones = [];
    },
  };
}

function note(audio, hertz, at) {
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUD, at + 0.02);
  gain.gain.linearRampToValueAtTime(0, at + NOTE_S);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + NOTE_S);
  return tone;
}
