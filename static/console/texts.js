// Every word the console says, side by side: key -> [English, Japanese]. `{name}` is filled in by `say`.

export const LANGUAGES = ["en", "ja"];

const TEXTS = {
  product_name: ["Router console", "Router コンソール"],
  loading: ["One moment…", "読み込み中…"],
  unknown: ["unknown", "不明"],

  // logging in
  login_title: ["Log in to take chats", "ログインして応対を始める"],
  site: ["Site", "サイト"],
  login: ["Login", "ログイン名"],
  password: ["Password", "パスワード"],
  log_in: ["Log in", "ログイン"],
  log_out: ["Log out", "ログアウト"],
  demo_hint: ["This is the demo: the fields are filled in, just log in.", "デモ環境です。入力済みですので、そのままログインできます。"],
  login_ended: ["Your login has ended. Log in again to go on.", "ログインの有効期限が切れました。もう一度ログインしてください。"],
  logout_unsure: ["The service did not confirm the logout. Load this page again to check.", "ログアウトを確認できませんでした。ページを再読み込みして確認してください。"],
  unreachable: ["The service cannot be reached. Check the network and try again.", "サービスに接続できません。ネットワークを確認して、もう一度お試しください。"],
  logout_title: ["Log out with open conversations?", "会話が残っています。ログアウトしますか？"],
  logout_text: ["You still have {n} open. After 45 seconds they go to a colleague.", "対応中の会話が{n}件あります。45秒後にほかの担当者へ引き継がれます。"],
  stay: ["Stay", "ログアウトしない"],

  // presence and link
  presence: ["Your state", "受付状態"],
  available: ["Available", "受付中"],
  away: ["Away", "離席"],
  break: ["Break", "休憩"],
  reason_missed_rings: ["You missed two rings, so you were set to away. Choose “Available” to get chats again.", "呼び出しに2回応答がなかったため「離席」になりました。再開するには「受付中」を選んでください。"],
  offline: ["Not connected", "未接続"],
  connecting: ["Connecting… What you write is kept.", "接続しています… 入力した内容は保存されています。"],
  waiting_s: ["Connection lost. Trying again in {n} s. What you write is kept.", "接続が切れました。{n}秒後に再接続します。入力した内容は保存されています。"],
  try_now: ["Try now", "今すぐ接続"],
  stopped: ["The service refused this console (code {code}). Load the page again; if that does not help, tell your administrator.", "サービスに接続を拒否されました（コード {code}）。ページを再読み込みしてください。解決しない場合は管理者に連絡してください。"],
  reload: ["Load again", "再読み込み"],
  dismiss: ["Dismiss", "閉じる"],
  language_switch: ["日本語", "English"],

  // the list
  conversations: ["Conversations", "会話"],
  ringing: ["Ringing", "呼び出し中"],
  mine: ["Mine", "対応中"],
  waiting: ["Waiting", "順番待ち"],
  empty_available: ["No conversation yet. When a shopper accepts an invite, it rings here.", "まだ会話はありません。お客様が招待に応じると、ここで呼び出します。"],
  empty_away: ["You are not taking chats. Choose “Available” and they ring here.", "現在は受付をしていません。「受付中」にすると、ここで呼び出します。"],
  empty_talk: ["Choose a conversation on the left.", "左の一覧から会話を選んでください。"],
  empty_context: ["Where the shopper is, the cart and the journey stand here once a conversation is open.", "会話を開くと、お客様の閲覧ページ、カート、行動履歴がここに表示されます。"],
  tab_list: ["List", "一覧"],
  tab_talk: ["Talk", "会話"],
  tab_context: ["Shopper", "お客様"],
  unread: ["{n} unread", "未読 {n}件"],
  state_away: ["Shopper left", "お客様が離席中"],
  "state_wrap-up": ["Wrap-up", "後処理"],
  state_closed: ["Closed", "終了"],
  no_lines: ["No message yet", "メッセージはまだありません"],

  // a ring
  ring_said: ["A chat is ringing: {who}, {queue}. Press A to accept.", "呼び出しです。{queue}、{who}。Aキーで応答できます。"],
  new_shopper: ["New shopper", "初めてのお客様"],
  returning_shopper: ["Returning shopper", "再訪のお客様"],
  shopper: ["Shopper", "お客様"],
  accept: ["Accept", "応答する"],
  decline: ["Decline", "見送る"],
  accept_key: ["Key: A", "Aキー"],
  seconds_left: ["{n} s left", "残り{n}秒"],
  waits: ["Waiting for {time}", "{time}お待ちです"],
  ring_missed: ["The ring was not answered in time and went on to a colleague.", "時間内に応答がなかったため、ほかの担当者へ回りました。"],
  ring_late: ["Too late: the ring went on to a colleague. The next one rings here.", "間に合わず、ほかの担当者へ回りました。次の呼び出しをお待ちください。"],
  ring_cancelled: ["The shopper left before the chat was accepted. Nothing to do.", "応答前にお客様が離れました。対応は不要です。"],
  see_ring: ["Details", "詳細"],

  // the card
  why_now: ["Why now", "声をかけた理由"],
  where: ["Page", "ページ"],
  since: ["for {time}", "{time}滞在"],
  product: ["Product", "商品"],
  cart: ["Cart", "カート"],
  cart_empty: ["empty", "空です"],
  cart_count: ["{quantity} items", "{quantity}点"],
  cart_more: ["and {n} more lines", "ほか{n}件"],
  offered: ["Offered", "案内済み"],
  offered_none: ["nothing yet", "まだありません"],
  journey: ["Journey", "行動履歴"],
  journey_none: ["nothing seen yet", "まだ記録がありません"],
  language: ["Language", "言語"],
  as_of: ["as of {time}", "{time} 時点"],
  on_page: ["In the shop now", "サイトを閲覧中"],
  off_page: ["Not in the shop now", "サイトを離れています"],
  context: ["About the shopper", "お客様の情報"],

  // kinds of pages and of steps in a journey
  page_home: ["Home", "トップ"],
  page_list: ["List", "商品一覧"],
  page_product: ["Product", "商品"],
  page_cart: ["Cart", "カート"],
  page_shipping: ["Shipping", "配送案内"],
  page_checkout: ["Checkout", "購入手続き"],
  page_payment: ["Payment", "お支払い"],
  page_thanks: ["Order placed", "注文完了"],
  page_other: ["Page", "ページ"],
  step_page: ["Page", "ページ閲覧"],
  step_list: ["List", "商品一覧"],
  step_search: ["Search", "検索"],
  step_product: ["Product", "商品閲覧"],
  step_cart_add: ["Added to cart", "カートに追加"],
  step_cart_remove: ["Removed from cart", "カートから削除"],
  step_cart: ["Cart", "カート"],
  step_wishlist: ["Wish list", "お気に入り"],
  step_checkout: ["Checkout begun", "購入手続き開始"],
  step_checkout_step: ["Checkout step", "購入手続き"],
  step_payment: ["Payment", "お支払い"],
  step_purchase: ["Order placed", "注文"],
  step_coupon: ["Coupon", "クーポン"],
  step_shown: ["Shown to the shopper", "案内を表示"],
  offer_invite: ["Invite to chat", "チャットの案内"],
  offer_offer: ["Discount code", "割引コード"],
  offer_article: ["Article", "記事"],

  // the thread
  thread: ["Conversation", "会話の内容"],
  you: ["You", "あなた"],
  reply: ["Reply", "返信"],
  reply_hint: ["Enter sends, Shift+Enter makes a new line", "Enterで送信、Shift+Enterで改行"],
  suggested: ["A suggested first line. Change it or write over it.", "最初のあいさつの案です。書き直せます。"],
  send: ["Send", "送信"],
  chars_left: ["{n} characters left", "残り{n}文字"],
  typing: ["The shopper is typing…", "お客様が入力中です…"],
  sending: ["Sending…", "送信中…"],
  not_sent: ["Not sent.", "送信できませんでした。"],
  send_again: ["Send again", "再送する"],
  discard: ["Discard", "破棄する"],
  gap_one: ["One message is no longer available here.", "1件のメッセージは表示できません。"],
  gap_many: ["{n} messages are no longer available here.", "{n}件のメッセージは表示できません。"],
  new_lines: ["New messages below", "新しいメッセージ"],
  thread_empty: ["No message yet. Your first line opens the talk.", "まだメッセージはありません。最初のひとことをどうぞ。"],
  today: ["Today", "今日"],
  away_hint: ["The shopper is not on the page. They read this when they come back.", "お客様はページを離れています。戻られたときに表示されます。"],
  system_joined: ["{name} joined", "{name}が参加しました"],
  system_left: ["The shopper left", "お客様が退出しました"],
  system_closed: ["The conversation was closed", "会話が終了しました"],
  system_waiting: ["The shopper is waiting for an agent", "お客様が担当者を待っています"],
  system_transferred: ["The conversation was transferred", "会話が転送されました"],
  system_agent_lost: ["The agent's connection was lost", "担当者の接続が切れました"],
  talk_gone: ["This conversation is no longer yours: it ended or went to a colleague.", "この会話は終了したか、ほかの担当者に引き継がれました。"],

  // closing
  close: ["Close…", "終了…"],
  close_title: ["Close the conversation", "会話を終了する"],
  close_do: ["Close conversation", "終了する"],
  cancel: ["Cancel", "キャンセル"],
  disposition: ["How did it end?", "結果"],
  disposition_needed: ["Choose how it ended, then close.", "結果を選んでから終了してください。"],
  note: ["Note for colleagues", "担当者用メモ"],
  note_hint: ["Never sent to the shopper", "お客様には送信されません"],
  note_kept: ["Saved", "保存済み"],
  note_changed: ["Saving…", "保存中…"],
  note_refused: ["Not saved. Change it to try again.", "保存できませんでした。書き直すと再度保存します。"],
  wrapup: ["The talk has ended. Finish your note; your slot is free again after wrap-up.", "会話は終了しました。メモを仕上げてください。後処理が終わると対応枠が空きます。"],
  wrapup_left: ["Wrap-up: {time} left", "後処理 残り{time}"],
  wrapup_disposition: ["How it ended is still missing.", "結果がまだ登録されていません。"],
  set_disposition: ["Say how it ended…", "結果を登録…"],
  closed_text: ["This conversation is closed. It leaves the list when you open another one.", "この会話は終了しました。別の会話を開くと一覧から消えます。"],

  // errors by name: one sentence with what to do
  error_bad_login: ["Site, login or password is wrong. Check them and try again.", "サイト、ログイン名、またはパスワードが違います。確認して、もう一度お試しください。"],
  error_unknown_site: ["There is no such site. Check its name and try again.", "このサイトは見つかりません。サイト名を確認してください。"],
  error_too_many: ["Too many attempts. Wait a minute and try again.", "試行回数が多すぎます。1分ほど待って、もう一度お試しください。"],
  error_too_late: ["Too late: this conversation has moved on. There is nothing more to do in it.", "間に合いませんでした。この会話はすでに先へ進んでいます。"],
  error_not_yours: ["This conversation belongs to a colleague now. Choose another one.", "この会話はほかの担当者が対応しています。別の会話を選んでください。"],
  error_no_conversation: ["This conversation no longer exists. Choose another one.", "この会話はもうありません。別の会話を選んでください。"],
  error_full: ["A limit is reached. Close this conversation and begin a new one if needed.", "上限に達しました。会話を終了し、必要なら新しく始めてください。"],
  error_lost: ["The connection was lost. Try again once it is back.", "接続が切れました。再接続後にもう一度お試しください。"],
  error_unavailable: ["The service is busy at the moment. Try again shortly.", "サービスが一時的に利用できません。少し待って、もう一度お試しください。"],
  error_unreachable: ["The service cannot be reached. Check the network and try again.", "サービスに接続できません。ネットワークを確認して、もう一度お試しください。"],
  error_other: ["That did not work ({name}). Try again; if it stays so, tell your administrator.", "操作できませんでした（{name}）。もう一度お試しください。続く場合は管理者に連絡してください。"],
};

/** The words for `key` in `language`, with `{name}`s filled in; a key without words comes back as null. */
export function say(language, key, values = {}) {
  if (!Object.hasOwn(TEXTS, key)) return null;
  const text = TEXTS[key][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

/** One sentence for a named error, with what to do. */
export function sayError(language, name) {
  return say(language, `error_${name}`) ?? say(language, "error_other", { name });
}

/** A text in the console's language, out of `{ja, en}`; null if there is none. */
export const pick = (language, both) => both?.[language] ?? both?.en ?? both?.ja ?? null;

export const keys = Object.keys(TEXTS);
export const both = (key) => TEXTS[key];
