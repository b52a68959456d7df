"""Words of Chinese for every concept of the mini world, with classifiers and localisers."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs

NOUNS: dict[str, str] = read_pairs(
    """
    person 人  teacher 老师  doctor 医生  farmer 农民  student 学生  soldier 士兵  singer 歌手  cook 厨师  driver 司机
    writer 作家  nurse 护士  king 国王  child 孩子  woman 女人  man 男人  friend 朋友  judge 法官
    animal 动物  dog 狗  cat 猫  horse 马  cow 牛  bird 鸟  fish 鱼  lion 狮子  mouse 老鼠  sheep 羊  snake 蛇
    elephant 大象  monkey 猴子
    food 食物  bread 面包  rice 米饭  meat 肉  soup 汤  cheese 奶酪  egg 鸡蛋  cake 蛋糕  salad 沙拉
    fruit 水果  apple 苹果  banana 香蕉  orange 橙子  grape 葡萄  lemon 柠檬  mango 芒果
    drink 饮料  water 水  milk 牛奶  tea 茶  coffee 咖啡  juice 果汁  wine 酒
    vehicle 交通工具  car 汽车  bus 公交车  train 火车  boat 船  bicycle 自行车  plane 飞机
    tool 工具  hammer 锤子  knife 刀  key 钥匙  rope 绳子  needle 针  brush 刷子
    clothing 衣服  shirt 衬衫  hat 帽子  shoe 鞋子  coat 大衣  dress 裙子  scarf 围巾
    furniture 家具  table 桌子  chair 椅子  bed 床  lamp 灯  mirror 镜子  carpet 地毯
    instrument 乐器  guitar 吉他  piano 钢琴  drum 鼓  violin 小提琴  flute 笛子
    text 读物  book 书  letter 信  newspaper 报纸  poem 诗  map 地图  story 故事
    plant 植物  tree 树  flower 花  grass 草  rose 玫瑰  bush 灌木
    kitchen 厨房  garden 花园  school 学校  hospital 医院  market 市场  forest 森林  river 河  mountain 山  station 车站
    library 图书馆  church 教堂  field 田野  beach 海滩  theatre 剧院  office 办公室  farm 农场  restaurant 餐馆
    street 街道  palace 宫殿  museum 博物馆
    """
)
"""Noun -> its form."""

_COUNTED: dict[str, str] = {
    "只": "dog cat bird lion mouse sheep monkey shoe",
    "匹": "horse",
    "头": "cow elephant",
    "条": "fish snake rope scarf dress river street",
    "本": "book",
    "封": "letter",
    "份": "newspaper salad text food",
    "首": "poem",
    "张": "table bed map",
    "把": "knife key chair hammer brush guitar violin",
    "辆": "car bus bicycle",
    "列": "train",
    "艘": "boat",
    "架": "plane piano",
    "件": "clothing shirt coat furniture instrument tool",
    "顶": "hat",
    "根": "needle banana",
    "棵": "tree plant",
    "朵": "flower rose",
    "丛": "bush grass",
    "盏": "lamp",
    "面": "mirror drum",
    "块": "carpet cake bread meat cheese field",
    "支": "flute",
    "种": "vehicle drink fruit",
    "座": "mountain museum palace church theatre station library garden",
    "家": "restaurant hospital farm",
    "所": "school",
    "片": "forest beach",
    "间": "kitchen office",
    "颗": "grape",
}

CLASSIFIERS: dict[str, str] = {noun: classifier for classifier, counted in _COUNTED.items() for noun in counted.split()}
"""Noun -> its classifier, where it is not the general one."""

GENERAL_CLASSIFIER = "个"
"""Classifier of all other nouns."""

LOCALISERS: dict[str, str] = {
    **dict.fromkeys(("kitchen", "garden", "forest", "river", "field", "palace", "school", "church", "farm"), "里"),
    **dict.fromkeys(("mountain", "beach", "street", "market"), "上"),
}
"""Place -> the word after it that says "in" or "on", where one is usual."""

VERBS: dict[str, str] = read_pairs(
    """
    eat 吃  drink_v 喝  see 看见  buy 买  steal 偷  get 得到  sell 卖  give_away 捐赠  read 读  write 写  make 做
    paint 画  repair 修理  change 改变  drive 开  use 使用  wear 穿  wash 洗  cut 切  carry 搬  push 推  pull 拉
    move_o 移动  find 找到  lose 丢失  love 爱  like 喜欢  hate 讨厌  play 演奏  hear 听见  hunt 捕猎  follow 跟随
    feed 喂  visit 参观  help 帮助  teach 教  heal 治疗  watch 观看  grow 种  break 弄坏  open 打开  cook_v 煮
    sleep 睡觉  rest 休息  run 奔跑  walk 走路  swim 游泳  fly 飞  jump 跳  dance 跳舞  move_s 动  laugh 笑  cry 哭
    sing 唱歌  work 工作  wait 等待  fall 摔倒  sit 坐下  speak 说话  fight 打架
    """
)
"""Verb -> its form."""

OF_PERSON: dict[str, str] = {"visit": "拜访", "carry": "背"}
"""Verb -> its form with people and companies as objects, where it differs."""

OF_OBJECT: dict[tuple[str, str], str] = {
    ("wear", "hat"): "戴",
    ("wear", "scarf"): "戴",
    ("cut", "tree"): "砍",
    ("cut", "bush"): "砍",
    ("cut", "grass"): "割",
    ("cut", "rope"): "割",
    ("cut", "flower"): "剪",
    ("cut", "rose"): "剪",
}
"""Verb and object -> its form with this object, where it differs."""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big 大  small 小  old 旧  new 新  good 好  bad 坏  hot 热  cold 冷  clean 干净  dirty 脏  strong 强壮  weak 虚弱
    happy 高兴  sad 悲伤  rich 富有  poor 贫穷  fast 快  slow 慢  heavy 重  light 轻  expensive 贵  cheap 便宜
    beautiful 美丽  ugly 丑陋  long 长  short 短  empty 空  full 满  wet 湿  dry 干  brave 勇敢  timid 胆小  red 红
    green 绿  blue 蓝  white 白  black 黑  yellow 黄
    """
)
"""Adjective -> its form."""

OF_LIVING: dict[str, str] = {"old": "老", "short": "矮"}
"""Adjective -> its form for people, animals and plants, where it differs."""

OF_THINGS: dict[str, str] = {"strong": "结实"}
"""Adjective -> its form for things, where it differs."""

DIRECT: frozenset[str] = frozenset("大小旧老新好坏热冷脏长短矮空湿干红绿蓝白黑黄")
"""Adjectives that stand before a noun without "de"."""

TIMES: dict[str, str] = read_pairs(
    """
    yesterday 昨天  morning 早上  evening 晚上  night 夜里  monday 星期一  friday 星期五  sunday 星期天  summer 夏天
    winter 冬天
    """
)
"""Time -> its word."""

NUMBERS: tuple[str, ...] = ("两", "三", "四", "五", "六", "七", "八", "九")
"""Numerals from 2 to 9, as they stand before a classifier."""

CITIES: dict[str, str] = read_pairs(
    """
    London 伦敦  Berlin 柏林  Madrid 马德里  Moscow 莫斯科  Istanbul 伊斯坦布尔  Nairobi 内罗毕  Delhi 德里
    Beijing 北京  Paris 巴黎  Rome 罗马  Cairo 开罗  Vienna 维也纳  Lisbon 里斯本  Athens 雅典  Lima 利马  Tokyo 东京
    """
)
"""City -> its Chinese name."""

FUNCTION: dict[str, str] = read_pairs(
    "be 是  not 不  and 而且  who 谁  what 什么  where 哪里  when 什么时候  because 因为  then 然后  but 但是"
)
"""Function words."""
