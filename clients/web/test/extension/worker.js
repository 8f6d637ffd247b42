// The tests call `chrome.tabs` from here.
