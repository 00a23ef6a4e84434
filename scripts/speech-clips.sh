#!/bin/sh
# npm run demo:clips: makes the clips of the page Speech by espeak-ng, as 16 kHz mono 16 bit WAV in demo/speech/clips/.
# Three clips to listen to by a voice that the built-in model knows well, and ten by one that it does not, to learn from.
# The sentences are not in the corpus that the model was trained on (../shared/speech/make.sh FOLDER 3000 1).
# Needs: apt-get install espeak-ng sox. The same version of espeak-ng writes the same bytes.
set -eu
export LC_ALL=C
out=$(dirname "$0")/../demo/speech/clips
mkdir -p "$out"
raw=$(mktemp --suffix .wav)
trap 'rm -f "$raw"' EXIT

# clip NAME VOICE SPEED PITCH TEXT
clip() {
  espeak-ng -v "$2" -s "$3" -p "$4" -w "$raw" "$5"
  # Without the silence at the end.
  sox -R -D "$raw" -r 16000 -c 1 -b 16 "$out/$1.wav" vol 0.8 reverse silence 1 0.05 0.1% reverse pad 0 0.1
}

n=0
while read -r text; do
  n=$((n + 1))
  clip "listen-$n" en-us+m2 150 45 "$text"
done <<TEXTS
turn on the heater in the office
wednesday march twenty second
seven thousand one hundred and thirty three
TEXTS

n=0
while read -r text; do
  n=$((n + 1))
  clip "teach-$n" en-us+steph2 190 65 "$text"
done <<TEXTS
stop the timer for seven hours
the thirtieth of september
half past nine
dim the lamp in the hall
cancel the alarm for thirty one minutes
move right again
turn off the light in the kitchen
sixty five
quarter past two
turn on the television in the bathroom
TEXTS
