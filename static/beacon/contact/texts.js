// What the message form says.

const TEXTS = {
  ja: {
    language: 'ja',
    leave: '待たずにメッセージを残す',
    intro: 'お待ちいただく代わりに、メッセージをお預かりします。担当者からご返信します。',
    nobody: 'ただいま担当者が不在です。メッセージをお預かりし、担当者からご返信します。',
    text: 'お問い合わせ内容',
    contact: 'メールアドレスまたは電話番号',
    name: 'お名前（任意）',
    send: '送信する',
    wait: 'このまま待つ',
    needText: 'お問い合わせ内容を入力してください。',
    needContact: 'ご返信先のメールアドレス、または0か+で始まる電話番号を入力してください。',
    thanks: 'メッセージをお預かりしました',
    due: (when, contact) => `${when}までに、${contact} へご返信します。`,
    errors: {
      __proto__: null,
      bad_request: 'ご返信先をご確認ください。メールアドレス、または0か+で始まる電話番号が必要です。',
      too_many: '短時間に多くのメッセージをいただいています。1時間ほどおいてお試しください。',
      other: '送信できませんでした。入力内容は保存されています。少し待って、もう一度お試しください。',
    },
  },
  en: {
    language: 'en',
    leave: 'Leave a message instead',
    intro: 'Rather than wait, leave us a message. Our staff will reply to you.',
    nobody: 'Nobody is here at the moment. Leave us a message, and our staff will reply to you.',
    text: 'Your message',
    contact: 'E-mail address or telephone number',
    name: 'Your name (optional)',
    send: 'Send message',
    wait: 'Keep waiting',
    needText: 'Please write your message.',
    needContact: 'Please give an e-mail address, or a telephone number that begins with 0 or +.',
    thanks: 'We have your message',
    due: (when, contact) => `We will reply to ${contact} by ${when}.`,
    errors: {
      __proto__: null,
      bad_request: 'Please check where we can reach you: an e-mail address, or a telephone number that begins with 0 or +.',
      too_many: 'You have sent several messages in a short time. Please try again in an hour.',
      other: 'This could not be sent. What you wrote is kept: please try again in a moment.',
    },
  },
};

/** The texts for a language tag: Japanese, or English for all else. */
export const textsFor = (tag) => (/^ja\b/i.test(tag || '') ? TEXTS.ja : TEXTS.en);
